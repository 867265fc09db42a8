import { expect } from "chai";
import { describe, it } from "mocha";
import { createDeadLetter } from "../../../shared/events/dead-letter.ts";
import { decodeEvent } from "../../../shared/events/decode-event.ts";
import { loggedRecord } from "../../../shared/kafka/logged-record.ts";

/** As kafkajs gives it; its types know no header without a value. */
function recordWith(headers: unknown, value: object = {}) {
  const message = {
    key: null,
    value: Buffer.from(JSON.stringify({ specversion: "1.0", id: "1", source: "/hr", ...value })),
    timestamp: "1768478400000",
    attributes: 0,
    offset: "7",
    headers: headers as Record<string, string>,
  };
  return loggedRecord(message, "quash.user-events", 0);
}

describe("a record as kafkajs gives it", () => {
  it("K7: is decoded whatever headers without a value it has", () => {
    const record = recordWith(
      { trace: null, list: [null, Buffer.from("x")], ce_id: null },
      { type: "user.deactivated", subject: "u1" },
    );
    const decoded = decodeEvent(record, { appendedAtMs: record.appendedAtMs, namespace: "quash" });

    expect(decoded).to.include({ ok: false, reason: "envelope-invalid" });
    expect(() =>
      createDeadLetter(record, { reason: "envelope-invalid", detail: "x", attempts: 1, atMs: 0 }),
    ).not.to.throw();
  });

  it("K7: is an event also with a header without a value that means nothing", () => {
    const record = recordWith({ trace: null }, { type: "user.deactivated", subject: "u1" });
    const decoded = decodeEvent(record, { appendedAtMs: record.appendedAtMs, namespace: "quash" });

    expect(decoded.ok).to.equal(true);
  });
});
