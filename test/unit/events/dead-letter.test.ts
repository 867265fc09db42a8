import { expect } from "chai";
import { describe, it } from "mocha";
import { createDeadLetter } from "../../../shared/events/dead-letter.ts";
import type { LoggedRecord } from "../../../shared/ports/event-log.ts";
import { bytes } from "./event-fixtures.ts";

const why = {
  reason: "not-json",
  detail: "the value is missing",
  atMs: Date.UTC(2026, 0, 2),
  attempts: 3,
} as const;

describe("createDeadLetter", () => {
  it("keeps key, value and headers, and adds the reason and where the record stood", () => {
    const twice = [bytes("1"), bytes("2")];
    const letter = createDeadLetter(record({ headers: { trace: bytes("a"), twice, none: undefined } }), why);
    expect(letter).to.deep.equal({
      key: bytes("k"),
      value: bytes("v"),
      headers: {
        trace: bytes("a"),
        twice,
        dead_letter_reason: "not-json",
        dead_letter_detail: "the value is missing",
        dead_letter_topic: "test.user-events",
        dead_letter_partition: "4",
        dead_letter_offset: "17",
        dead_letter_appended_at: "1970-01-01T00:00:00.000Z",
        dead_letter_at: "2026-01-02T00:00:00.000Z",
        dead_letter_attempts: "3",
      },
    });
  });

  it("replaces the headers of an earlier dead letter", () => {
    const headers = { dead_letter_reason: bytes("too-large"), dead_letter_offset: bytes("1") };
    const letter = createDeadLetter(record({ headers }), why);
    expect(letter.headers).to.include({ dead_letter_reason: "not-json", dead_letter_offset: "17" });
  });

  it("adds to the attempts of an earlier dead letter, where they are a number that can be", () => {
    const attemptsAfter = (sent: Uint8Array | Uint8Array[]) =>
      createDeadLetter(record({ headers: { dead_letter_attempts: sent } }), why).headers[
        "dead_letter_attempts"
      ];
    expect(attemptsAfter(bytes("4"))).to.equal("7");
    for (const wrong of ["", "-4", "4.5", "1e9", "0x4", " 4", "1234567890", "NaN"]) {
      expect(attemptsAfter(bytes(wrong)), wrong).to.equal("3");
    }
    expect(attemptsAfter([bytes("4"), bytes("5")])).to.equal("3");
  });

  it("keeps when a record was appended at first, and lets nobody say that it was later", () => {
    const appendedAtMs = Date.UTC(2026, 0, 10);
    const appendedAtOf = (sent: string) => {
      const headers = { dead_letter_appended_at: bytes(sent) };
      return createDeadLetter(record({ appendedAtMs, headers }), why).headers["dead_letter_appended_at"];
    };
    expect(appendedAtOf("2026-01-03T00:00:00.000Z")).to.equal("2026-01-03T00:00:00.000Z");
    for (const wrong of ["2026-01-11T00:00:00.000Z", "", "soon"]) {
      expect(appendedAtOf(wrong)).to.equal("2026-01-10T00:00:00.000Z");
    }
  });

  it("leaves out what a publisher sends under the names of a dead letter", () => {
    const headers = { dead_letter_state: bytes("dropped"), dead_letter_truncated: bytes("true") };
    const letter = createDeadLetter(record({ headers }), why);
    expect(letter.headers).to.not.have.any.keys("dead_letter_state", "dead_letter_truncated");
  });

  it("cuts a key that is very long, and says so", () => {
    const letter = createDeadLetter(record({ key: new Uint8Array(100_000) }), why);
    expect(letter.key).to.have.lengthOf(65_536);
    expect(letter.headers["dead_letter_truncated"]).to.equal("true");
  });

  it("keeps a value that is null", () => {
    expect(createDeadLetter(record({ value: null }), why).value).to.equal(null);
  });

  it("cuts a value that is larger than an event may be, and says so", () => {
    const letter = createDeadLetter(record({ value: new Uint8Array(5_000_000) }), why);
    expect(letter.value?.byteLength).to.equal(65_536);
    expect(letter.headers["dead_letter_truncated"]).to.equal("true");
  });

  it("leaves headers out beyond what an event may have, and says so", () => {
    const many = Object.fromEntries(Array.from({ length: 10_000 }, (_, i) => [`h${i}`, bytes("x")]));
    const letter = createDeadLetter(record({ headers: many }), why);
    expect(Object.keys(letter.headers)).to.have.lengthOf.below(300);
    expect(letter.headers["dead_letter_truncated"]).to.equal("true");
  });
});

function record(given: Partial<LoggedRecord>): LoggedRecord {
  return {
    key: bytes("k"),
    value: bytes("v"),
    headers: {},
    topic: "test.user-events",
    partition: 4,
    offset: "17",
    appendedAtMs: 0,
    ...given,
  };
}
