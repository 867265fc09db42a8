import { expect } from "chai";
import { beforeEach, describe, it } from "mocha";
import { createDeadLetter } from "../../shared/events/dead-letter.ts";
import { encodeEvent } from "../../shared/events/encode-event.ts";
import type { DeadLetterReason, QuashEvent } from "../../shared/events/event.ts";
import { InProcessEventLogServer } from "../../shared/in-process/event-log.ts";
import type { EventLog, EventRecord, LoggedRecord } from "../../shared/ports/event-log.ts";
import { drop, planDrop } from "../../workers/dead-letters/drop.ts";
import { list, tableOf } from "../../workers/dead-letters/list.ts";
import { readLetters } from "../../workers/dead-letters/read-letters.ts";
import { leftAloneLines, planReplay, replay } from "../../workers/dead-letters/replay.ts";
import { parseId, parseMoment, parseReason, type Selection } from "../../workers/dead-letters/selection.ts";
import { show } from "../../workers/dead-letters/show.ts";
import { createManualPlatform, type ManualPlatform } from "../support/manual-clock.ts";
import { intercept } from "../support/worker-world.ts";

const atMs = Date.UTC(2026, 0, 15);
const event: QuashEvent = {
  id: "e-1",
  source: "/hr",
  type: "user.deactivated",
  subject: "carol",
  timeMs: atMs,
  details: {},
};
const whole = { valueBytes: Infinity };
const garbage: EventRecord = { key: "dave", value: bytes("{not json"), headers: { trace: "t-1" } };

describe("dead-letters command", () => {
  let platform: ManualPlatform;
  let server: InProcessEventLogServer;
  let eventLog: EventLog;

  beforeEach(async () => {
    platform = createManualPlatform();
    server = new InProcessEventLogServer(platform);
    eventLog = server.connect();
    await eventLog.ensureTopics();
  });

  /** As the revoker sets it aside; answers with the id under which it is listed. */
  async function setAside(sent: EventRecord, reason: DeadLetterReason, ageMs = 0): Promise<string> {
    const record: LoggedRecord = { ...loggedAs(sent), topic: "quash.user-events", partition: 1, offset: "5" };
    const why = { reason, detail: "the reason why", atMs: atMs - ageMs, attempts: 3 };
    await eventLog.publish("dead-letters", [createDeadLetter(record, why)]);
    const added = server.read("dead-letters").toSorted((a, b) => Number(a.offset) - Number(b.offset));
    const mine = added.filter(({ key }) => text(key) === text(record.key)).at(-1);
    return `${mine?.partition}:${mine?.offset}`;
  }

  const replayNow = async (selection: Selection, log: EventLog = eventLog) => {
    const plan = await planReplay(log, selection);
    await replay({ eventLog: log, clock: platform.clock }, plan);
    return plan;
  };
  const dropNow = async (selection: Selection) =>
    drop({ eventLog, clock: platform.clock }, await planDrop(eventLog, selection));
  const listed = async (selection: Selection = {}, withDropped = false) =>
    (await list(eventLog, selection, { asJson: true, withDropped })).map(
      (line) => JSON.parse(line) as Record<string, unknown>,
    );

  describe("list", () => {
    it("tells of each what it is about, why it came to nothing, and what became of it, the oldest first", async () => {
      const second = await setAside(encodeEvent(event), "internal-error");
      const first = await setAside(garbage, "not-json", 1_000);
      const [oldest, newest] = await listed();
      expect(oldest).to.include({ id: first, reason: "not-json", subject: "dave", event_id: null });
      expect(newest).to.include({ id: second, reason: "internal-error", state: "waiting", attempts: 3 });
      expect(newest).to.include({
        subject: "carol",
        event_id: "e-1",
        source: "/hr",
        detail: "the reason why",
      });
      expect(newest).to.include({ type: "user.deactivated", at: new Date(atMs).toISOString() });
    });

    it("filters by reason, time and subject", async () => {
      const old = await setAside(encodeEvent(event), "internal-error", 60_000);
      const fresh = await setAside(garbage, "not-json");
      const cases: [Selection, string[]][] = [
        [{ reasons: ["not-json"] }, [fresh]],
        [{ reasons: ["not-json", "internal-error"] }, [old, fresh]],
        [{ sinceMs: atMs - 1 }, [fresh]],
        [{ untilMs: atMs - 1 }, [old]],
        [{ subject: "carol" }, [old]],
        [{ subject: "carol", reasons: ["not-json"] }, []],
        [{ ids: [fresh] }, [fresh]],
      ];
      for (const [selection, ids] of cases) {
        const found = await listed(selection);
        expect(
          found.map(({ id }) => id),
          JSON.stringify(selection),
        ).to.deep.equal(ids);
      }
    });

    it("prints a table with a row for each, and says when there is none", async () => {
      const shown = { asJson: false, withDropped: false };
      expect(await list(eventLog, {}, shown)).to.deep.equal([
        "no dead letters in quash.user-events.dead-letter",
      ]);
      expect(await list(eventLog, { subject: "carol" }, shown)).to.deep.equal([
        "no such dead letters in quash.user-events.dead-letter",
      ]);
      const id = await setAside(encodeEvent(event), "internal-error");
      const [head, row, ...others] = await list(eventLog, {}, shown);
      expect(head).to.match(/^id +at +reason +state +subject +event id +detail$/);
      expect(row?.split(/ {2,}/).slice(0, 6)).to.deep.equal([
        id,
        new Date(atMs).toISOString(),
        "internal-error",
        "waiting",
        "carol",
        "e-1",
      ]);
      expect(others).to.deep.equal([]);
    });

    it("prints a table of more letters than a call takes arguments", async () => {
      await setAside(garbage, "not-json");
      const { letters } = await readLetters(eventLog);
      const many = Array.from({ length: 200_000 }, () => letters).flat();
      expect(tableOf(many)).to.have.lengthOf(200_001);
    });
  });

  describe("show", () => {
    it("prints key, headers and value as they are kept", async () => {
      const lines = await show(eventLog, await setAside(garbage, "not-json"), whole);
      expect(lines).to.include.members(["key    dave", "  trace: t-1", "  dead_letter_reason: not-json"]);
      expect(lines.slice(lines.indexOf("value"))).to.deep.equal(["value", "  {not json"]);
    });

    it("cuts a long value between two characters, and says so where no value can", async () => {
      const id = await setAside({ ...garbage, value: bytes(`abc\u20acdef`) }, "not-json");
      const note = (count: number) => `cut: the first ${count} of 9 bytes; --full prints all`;
      for (const valueBytes of [3, 4, 5]) {
        const lines = await show(eventLog, id, { valueBytes });
        expect(lines.slice(-2)).to.deep.equal(["  abc", note(3)]);
      }
      expect((await show(eventLog, id, { valueBytes: 6 })).slice(-2)).to.deep.equal(["  abc\u20ac", note(6)]);
      expect((await show(eventLog, id, { valueBytes: 9 })).at(-1)).to.equal("  abc\u20acdef");
    });

    it("says so where there is none of that id", async () => {
      const error = await show(eventLog, "0:99", whole).catch((e: unknown) => e);
      expect(error).to.have.property("message", "there is no dead letter 0:99");
    });
  });

  it("lets no byte of an event reach the terminal that could move its cursor or reorder a line", async () => {
    const evil = "\u001b[2J\u009b1m\u202e\u2028\r\u0000";
    const hostile = { ...event, subject: "carol", id: `e${evil}` };
    const value = bytes(JSON.stringify({ specversion: "1.0", ...hostile }));
    const binary = Uint8Array.of(0xff, 0x1b, 0x41);
    const ids = [
      await setAside({ key: `k${evil}`, value, headers: { [`h${evil}`]: evil } }, "data-invalid"),
      await setAside({ key: "b", value: binary, headers: {} }, "not-json"),
    ];
    const lines = [
      ...(await list(eventLog, {}, { asJson: false, withDropped: false })),
      ...(await list(eventLog, {}, { asJson: true, withDropped: false })),
      ...(await Promise.all(ids.map((id) => show(eventLog, id, whole)))).flat(),
    ];
    expect(lines.filter((line) => /[\p{Cc}\p{Cf}\u2028\u2029]/u.test(line))).to.deep.equal([]);
    expect(lines.join("\n")).to.include("\\u001b[2J").and.include("\\xff\\x1bA");
    expect((await listed()).map(({ event_id }) => event_id)).to.include(`e${evil}`);
  });

  it("names the topic that is missing, whatever is asked", async () => {
    const elsewhere = new InProcessEventLogServer({ ...platform, namespace: "quahs" }).connect();
    const asked: readonly Promise<unknown>[] = [
      list(elsewhere, {}, { asJson: true, withDropped: false }),
      show(elsewhere, "0:1", whole),
      planReplay(elsewhere, {}),
      planDrop(elsewhere, {}),
    ];
    for (const outcome of await Promise.allSettled(asked)) {
      expect(outcome)
        .to.have.nested.property("reason.message")
        .that.equals("there is no topic quahs.user-events.dead-letter; is NAMESPACE right?");
    }
  });

  describe("replay", () => {
    it("publishes key, value and headers as they came, with the count of attempts and the first append time, and notes it", async () => {
      const id = await setAside(garbage, "not-json");
      expect(await replayNow({}))
        .to.have.property("replayed")
        .with.lengthOf(1);
      const [again, ...others] = server.read("events");
      expect(others).to.deep.equal([]);
      expect(text(again?.key ?? null)).to.equal("dave");
      expect(text(again?.value ?? null)).to.equal("{not json");
      expect(again?.headers).to.deep.equal({
        trace: bytes("t-1"),
        dead_letter_attempts: bytes("3"),
        dead_letter_appended_at: bytes(new Date(atMs).toISOString()),
      });
      const [letter] = await listed();
      expect(letter).to.include({ id, state: "replayed" });
    });

    it("publishes nothing while it is only planned", async () => {
      await setAside(garbage, "not-json");
      expect((await planReplay(eventLog, {})).replayed).to.have.lengthOf(1);
      expect(server.read("events")).to.deep.equal([]);
      expect((await listed()).map(({ state }) => state)).to.deep.equal(["waiting"]);
    });

    it("leaves alone what was replayed or dropped before, also when it is named", async () => {
      const id = await setAside(garbage, "not-json");
      await replayNow({});
      expect(await replayNow({}))
        .to.have.property("replayed")
        .with.lengthOf(0);
      expect(await replayNow({ ids: [id] }))
        .to.have.property("handled")
        .with.lengthOf(1);
      expect(server.read("events")).to.have.lengthOf(1);
      const dropped = await setAside(encodeEvent(event), "internal-error");
      await dropNow({ ids: [dropped] });
      const plan = await replayNow({});
      expect(server.read("events")).to.have.lengthOf(1);
      expect(leftAloneLines(plan)).to.have.members([
        `${id} left alone: replayed before`,
        `${dropped} left alone: dropped before`,
      ]);
    });

    it("replays only what is meant", async () => {
      await setAside(garbage, "not-json");
      await setAside(encodeEvent(event), "internal-error");
      await replayNow({ reasons: ["internal-error"] });
      expect(server.read("events").map(({ key }) => text(key))).to.deep.equal(["carol"]);
    });

    it("replays again, and loses nothing, after it broke off before the note was written", async () => {
      await setAside(garbage, "not-json");
      const broken = intercept(eventLog, "publish", (topic) => {
        if (topic === "dead-letters") throw new Error("gone");
      });
      const error = await replayNow({}, broken).catch((e: unknown) => e);
      expect(error).to.have.property("message", "gone");
      await replayNow({});
      expect(server.read("events")).to.have.lengthOf(2);
      expect((await listed()).map(({ state }) => state)).to.deep.equal(["replayed"]);
    });

    it("notes nothing as replayed that could not be published", async () => {
      await setAside(garbage, "not-json");
      const broken = intercept(eventLog, "publish", (topic) => {
        if (topic === "events") throw new Error("gone");
      });
      await replayNow({}, broken).catch(() => undefined);
      expect((await listed()).map(({ state }) => state)).to.deep.equal(["waiting"]);
    });

    it("leaves alone what was cut for its size, and names it with its state", async () => {
      const id = await setAside({ ...garbage, value: new Uint8Array(300_000) }, "too-large");
      const plan = await replayNow({});
      expect(leftAloneLines(plan)).to.deep.equal([
        `${id} left alone: waiting, but too large to have been kept whole`,
      ]);
      expect(server.read("events")).to.deep.equal([]);
    });
  });

  describe("drop", () => {
    it("hides what is meant from the list, and shows it among all", async () => {
      const id = await setAside(garbage, "not-json");
      const kept = await setAside(encodeEvent(event), "internal-error");
      await dropNow({ reasons: ["not-json"] });
      expect((await listed()).map((letter) => letter["id"])).to.deep.equal([kept]);
      const all = await listed({}, true);
      expect(all.find((letter) => letter["id"] === id)).to.include({ state: "dropped" });
    });

    it("tells what was dropped before from what is dropped now", async () => {
      const id = await setAside(garbage, "not-json");
      await dropNow({ ids: [id] });
      const plan = await planDrop(eventLog, { ids: [id] });
      expect(plan.dropped).to.deep.equal([]);
      expect(plan.before.map((letter) => letter.id)).to.deep.equal([id]);
    });
  });

  it("takes no note from the headers of an event, not even from one of an older version", async () => {
    const id = await setAside(garbage, "not-json");
    const forged = { dead_letter_id: id, dead_letter_state: "dropped" };
    const second = await setAside({ ...garbage, headers: forged }, "not-json");
    await eventLog.publish("dead-letters", [
      { ...garbage, headers: { ...forged, dead_letter_reason: "not-json" } },
    ]);
    const [first, ...others] = await listed();
    expect(first).to.include({ id, state: "waiting" });
    expect(others.map((letter) => letter["id"])).to.include(second);
    expect(others).to.have.lengthOf(2);
  });

  describe("selection", () => {
    const nowMs = Date.UTC(2026, 0, 31, 12);

    it("reads a time as RFC 3339 or as how long ago", () => {
      expect(parseMoment("2h", nowMs, "--since")).to.equal(nowMs - 7_200_000);
      expect(parseMoment("7d", nowMs, "--since")).to.equal(nowMs - 604_800_000);
      expect(parseMoment("2026-01-31T12:00:00.000Z", 0, "--since")).to.equal(nowMs);
    });

    it("names the option whose time is none", () => {
      for (const option of ["--since", "--until"] as const) {
        const parse = () => parseMoment("yesterday", nowMs, option);
        expect(parse)
          .to.throw()
          .with.property("message")
          .that.matches(new RegExp(`^${option} is `));
      }
    });

    const wrong: readonly [string, () => unknown][] = [
      ["a time that is none", () => parseMoment("yesterday", nowMs, "--since")],
      ["a reason that is not in the list", () => parseReason("boredom")],
      ["an id that is none", () => parseId("17")],
    ];
    for (const [what, parse] of wrong) {
      it(`refuses ${what} in one line`, () => {
        expect(parse)
          .to.throw()
          .with.property("message")
          .that.matches(/^[^\n]+$/);
      });
    }
  });
});

function loggedAs({ key, value, headers }: EventRecord): Pick<LoggedRecord, "key" | "value" | "headers"> & {
  readonly appendedAtMs: number;
} {
  const sent = Object.entries(headers).map(([name, each]) => [
    name,
    typeof each === "string" ? bytes(each) : each,
  ]);
  return {
    key: typeof key === "string" ? bytes(key) : key,
    value,
    headers: Object.fromEntries(sent) as LoggedRecord["headers"],
    appendedAtMs: atMs,
  };
}

function bytes(sent: string): Uint8Array {
  return new TextEncoder().encode(sent);
}

function text(sent: Uint8Array | null): string | null {
  return sent && new TextDecoder().decode(sent);
}
