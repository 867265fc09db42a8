import { expect } from "chai";
import { afterEach, beforeEach, describe, it } from "mocha";
import { AppError } from "../../shared/errors.ts";
import type {
  Consumer,
  EventLog,
  EventRecord,
  LoggedRecord,
  PartitionGap,
  PartitionLag,
  RecordBatch,
  Topic,
} from "../../shared/ports/event-log.ts";
import { eventually } from "../support/eventually.ts";

export interface EventLogHarness {
  /** One more connection to the same log. */
  connect(): EventLog;
  /** What retention does: the events that stand in the log now are gone. */
  deleteEvents(): Promise<void>;
  /** The log has fewer events now than the group, of which nobody is there, has committed. */
  loseTheEnd(): Promise<void>;
  /** A connection to a log that does not answer. */
  connectToNobody(): EventLog;
}

/** What every event log promises. `createHarness` makes a log of its own for each test. */
export function itIsAnEventLog(createHarness: () => EventLogHarness): void {
  let harness: EventLogHarness;
  let log: EventLog;
  let opened: EventLog[];

  function connect(): EventLog {
    const connection = harness.connect();
    opened.push(connection);
    return connection;
  }

  beforeEach(async () => {
    opened = [];
    harness = createHarness();
    log = connect();
    await log.ensureTopics();
  });

  afterEach(async () => {
    await Promise.all(opened.map((connection) => connection.close()));
  });

  it("delivers what was published before its group existed, with key, bytes, headers and append time", async () => {
    const value = Uint8Array.of(0, 255, 10);
    const beforeMs = Date.now();
    await log.publish("events", [{ key: "k", value, headers: { a: "1", b: Uint8Array.of(200) } }]);
    const { seen } = await collect(log);
    const [record] = await eventually(() => withLength(seen, 1));
    expect(bytes(record?.value)).to.deep.equal([0, 255, 10]);
    expect(bytes(record?.key)).to.deep.equal([0x6b]);
    expect(bytes(record?.headers["a"])).to.deep.equal([0x31]);
    expect(bytes(record?.headers["b"])).to.deep.equal([200]);
    expect(record?.topic).to.match(/\.user-events$/);
    expect(record?.appendedAtMs).to.be.within(beforeMs - 5000, Date.now() + 5000);
  });

  it("keeps null keys, null values and repeated headers", async () => {
    const twice = [Uint8Array.of(1), Uint8Array.of(2)];
    await log.publish("events", [{ key: null, value: null, headers: { twice } }]);
    const { seen } = await collect(log);
    const [record] = await eventually(() => withLength(seen, 1));
    expect(record).to.include({ key: null, value: null });
    const sent = record?.headers["twice"];
    expect(Array.isArray(sent) && sent.map(bytes)).to.deep.equal([[1], [2]]);
  });

  it("delivers the records of one key in the order in which they were published", async () => {
    const { seen } = await collect(log);
    for (let batch = 0; batch < 5; batch += 1) {
      await log.publish(
        "events",
        range(20).map((n) => record(`user-${n % 4}`, batch * 20 + n)),
      );
    }
    await eventually(() => withLength(seen, 100));
    for (const key of range(4).map((n) => `user-${n}`)) {
      const numbers = seen.filter((r) => text(r.key) === key).map(numberOf);
      expect(numbers).to.deep.equal([...numbers].sort((a, b) => a - b));
      expect(new Set(seen.filter((r) => text(r.key) === key).map((r) => r.partition)).size).to.equal(1);
    }
  });

  it("takes several records of several keys in one call, and none", async () => {
    const { seen } = await collect(log);
    await log.publish("events", []);
    await log.publish(
      "events",
      range(50).map((n) => record(`user-${n}`, n)),
    );
    await eventually(() => withLength(seen, 50));
  });

  it("delivers again from the last commit when the handler rejects", async () => {
    const handled: number[][] = [];
    let failures = 2;
    await log.startConsumer(
      handler(async (batch) => {
        handled.push(batch.records.map(numberOf));
        const [first] = batch.records;
        if (failures-- > 0) {
          if (failures === 1 && first) await batch.commit(first);
          throw new Error("not now");
        }
        await commitAll(batch);
      }),
    );
    await log.publish(
      "events",
      range(3).map((n) => record("user", n)),
    );
    await eventually(() => expect(failures).to.equal(-1));
    expect(handled.flat().filter((n) => n === 0)).to.have.lengthOf(1);
    expect(handled.flat().filter((n) => n === 2)).to.have.lengthOf.at.least(2);
    expect(handled.at(-1)?.at(-1)).to.equal(2);
  });

  it("delivers again what the handler returned from without a commit", async () => {
    let deliveries = 0;
    await log.startConsumer(
      handler(async (batch) => {
        deliveries += 1;
        if (deliveries > 1) await commitAll(batch);
      }),
    );
    await log.publish("events", [record("user", 1)]);
    await eventually(() => expect(deliveries).to.equal(2));
  });

  it("goes on from the commits of a consumer that has left", async () => {
    const first = await collect(log);
    await log.publish("events", [record("user", 1)]);
    await eventually(() => withLength(first.seen, 1));
    await first.consumer.close();
    expect(first.consumer.hasJoined()).to.equal(false);
    await log.publish("events", [record("user", 2)]);
    const second = await collect(connect());
    await eventually(() => withLength(second.seen, 1));
    expect(second.seen.map(numberOf)).to.deep.equal([2]);
  });

  it("shares the partitions between two consumers, and loses nothing when one leaves", async () => {
    const first = await collect(log);
    const second = await collect(connect());
    const all = () => new Set([...first.seen, ...second.seen].map(numberOf)).size;
    let count = 0;
    await eventually(
      async () => {
        await log.publish(
          "events",
          range(12).map((n) => record(`user-${n}`, count++)),
        );
        expect(first.seen.length && second.seen.length).to.be.greaterThan(0);
      },
      { timeoutMs: 15_000, intervalMs: 200 },
    );
    await second.consumer.close();
    await log.publish(
      "events",
      range(12).map((n) => record(`user-${n}`, count++)),
    );
    await eventually(() => expect(all()).to.equal(count), { timeoutMs: 15_000 });
  });

  it("handles one batch at a time of each partition, and tells how to keep it", async () => {
    const busy = new Set<number>();
    let [overlaps, count] = [0, 0];
    await log.startConsumer(
      handler(async (batch) => {
        if (busy.has(batch.partition)) overlaps += 1;
        busy.add(batch.partition);
        await batch.heartbeat();
        expect(batch.isStale()).to.equal(false);
        await commitAll(batch);
        count += batch.records.length;
        busy.delete(batch.partition);
      }),
    );
    for (let n = 0; n < 20; n += 1) await log.publish("events", [record(`user-${n % 3}`, n)]);
    await eventually(() => expect(count).to.equal(20));
    expect(overlaps).to.equal(0);
  });

  it("joins the group, and leaves it when it closes", async () => {
    const { consumer } = await collect(log);
    await eventually(() => expect(consumer.hasJoined()).to.equal(true));
    await log.close();
    expect(consumer.hasJoined()).to.equal(false);
  });

  it("tells when it has a place in the group, and that it loses it while the group is rebalanced", async () => {
    const told: boolean[] = [];
    const patient = { timeoutMs: 15_000 };
    await log.startConsumer({ ...handler(commitAll), onMembership: (isMember) => told.push(isMember) });
    await eventually(() => expect(told).to.deep.equal([true]), patient);
    await connect().startConsumer(handler(commitAll));
    await eventually(() => expect(told.slice(0, 3)).to.deep.equal([true, false, true]), patient);
  });

  it("creates the topics from several processes at once, and again", async () => {
    await Promise.all([connect(), connect(), connect()].map((other) => other.ensureTopics()));
    await log.publish("dead-letters", [record("user", 1)]);
  });

  describe("read as a whole", () => {
    it("hands over all that stands in a topic, in the order of each key, and again at the next call", async () => {
      const records = range(60).map((n) => record(`user-${n % 4}`, n));
      await log.publish("dead-letters", records);
      for (const seen of [await readWhole(log, "dead-letters"), await readWhole(log, "dead-letters")]) {
        expect(seen).to.have.lengthOf(60);
        for (const key of range(4).map((n) => `user-${n}`)) {
          const numbers = seen.filter((r) => text(r.key) === key).map(numberOf);
          expect(numbers).to.deep.equal([...numbers].sort((a, b) => a - b));
        }
      }
    });

    it("ends where the topic ended when it was called, although more is written meanwhile", async () => {
      await log.publish("dead-letters", [record("user", 1)]);
      const seen: LoggedRecord[] = [];
      await log.readAll("dead-letters", async (records) => {
        seen.push(...records);
        await log.publish("dead-letters", [record("user", 2)]);
      });
      expect(seen.map(numberOf)).to.deep.equal([1]);
    });

    it("reads nothing from a topic that is empty", async () => {
      expect(await readWhole(log, "dead-letters")).to.deep.equal([]);
    });

    it("tells a topic that is empty from one that does not exist", async () => {
      const unmade = createHarness().connect();
      opened.push(unmade);
      const readNames = (each: EventLog) => each.readAll("dead-letters", () => Promise.resolve());
      expect(await readNames(log)).to.have.property("exists", true);
      const missing = await readNames(unmade);
      expect(missing.exists).to.equal(false);
      expect(missing.name).to.match(/\.user-events\.dead-letter$/);
    });

    it("has all that was published side by side, by many calls, each place once", async () => {
      await Promise.all(range(300).map((n) => log.publish("dead-letters", [record(`user-${n % 7}`, n)])));
      expectEachPlaceOnce(await readWhole(log, "dead-letters"), range(300));
    });

    it("names a record by its partition and offset, the same at each reading", async () => {
      await log.publish(
        "dead-letters",
        range(20).map((n) => record(`user-${n}`, n)),
      );
      const [first, second] = [await readWhole(log, "dead-letters"), await readWhole(log, "dead-letters")];
      expectEachPlaceOnce(first, range(20));
      const idsOf = (seen: readonly LoggedRecord[]) =>
        seen.map((each) => `${placeOf(each)} ${numberOf(each)}`).sort();
      expect(idsOf(second)).to.deep.equal(idsOf(first));
    });

    it("takes nothing from the group of workers", async () => {
      await log.publish("events", [record("user", 1)]);
      expect(await readWhole(log, "events")).to.have.lengthOf(1);
      const { seen } = await collect(log);
      await eventually(() => withLength(seen, 1));
    });

    it("rejects with what the taker rejects with, and can be read again", async () => {
      await log.publish("dead-letters", [record("user", 1)]);
      const refusal = new Error("no more");
      const error = await log.readAll("dead-letters", () => Promise.reject(refusal)).catch((e: unknown) => e);
      expect(error).to.equal(refusal);
      expect(await readWhole(log, "dead-letters")).to.have.lengthOf(1);
    });
  });

  describe("lag", () => {
    it("counts what the group has not committed, of every partition", async () => {
      await log.publish(
        "events",
        range(30).map((n) => record(`user-${n}`, n)),
      );
      const before = await log.readLag();
      expect(before).to.have.lengthOf(6);
      expect(new Set(before.map(({ partition }) => partition)).size).to.equal(6);
      expect(before.every(({ topic }) => topic.endsWith(".user-events"))).to.equal(true);
      expect(sumOf(before)).to.equal(30);
      const { seen } = await collect(log);
      await eventually(() => withLength(seen, 30));
      await eventually(async () => expect(sumOf(await log.readLag())).to.equal(0));
      await log.publish("events", [record("user-1", 1)]);
      await eventually(async () => expect(sumOf(await log.readLag())).to.equal(0));
    });

    it("grows while nobody commits", async () => {
      const { consumer, seen } = await collect(log);
      await log.publish("events", [record("user", 1)]);
      await eventually(() => withLength(seen, 1));
      await consumer.close();
      await log.publish("events", [record("user", 2), record("user", 3)]);
      expect(sumOf(await log.readLag())).to.equal(2);
    });
  });

  describe("events that retention took", () => {
    it("are told of before what is behind them is delivered, and passed over once that was dealt with", async () => {
      const { consumer, seen } = await collect(log);
      await log.publish("events", [record("user", 1)]);
      await eventually(() => withLength(seen, 1));
      await consumer.close();
      await log.publish("events", [record("user", 2), record("user", 3)]);
      await harness.deleteEvents();
      await log.publish("events", [record("user", 4)]);
      const told: string[] = [];
      await log.startConsumer({
        ...handler(async (batch) => {
          told.push(...batch.records.map((each) => `record ${numberOf(each)}`));
          await commitAll(batch);
        }),
        handleLost: async ({ gaps }) => {
          told.push(...gaps.map(({ from, to }) => `lost from ${from} to ${to}`));
          if (told.length < 3) throw new Error("not now");
        },
      });
      await eventually(() => expect(told.at(-1)).to.equal("record 4"));
      expect(told).to.deep.equal([...Array<string>(3).fill("lost from 1 to 3"), "record 4"]);
    });

    it("are told of when nothing is left behind them, and once only", async () => {
      const { consumer, seen } = await collect(log);
      await log.publish("events", [record("user", 1)]);
      await eventually(() => withLength(seen, 1));
      await consumer.close();
      await log.publish("events", [record("user", 2)]);
      await harness.deleteEvents();
      const first = await collect(log);
      await eventually(() => withLength(first.lost, 1));
      expect(first.lost[0]).to.include({ from: "1", to: "2" });
      await log.publish("events", [record("user", 3)]);
      await eventually(() => withLength(first.seen, 1));
      await first.consumer.close();
      const second = await collect(log);
      await log.publish("events", [record("user", 4)]);
      await eventually(() => withLength(second.seen, 1));
      expect(second.lost).to.deep.equal([]);
    });

    it("are told of while the consumer runs, as soon as it stands before the gap", async () => {
      const told: string[] = [];
      const gate = createGate();
      await log.startConsumer({
        ...handler(async (batch) => {
          told.push(...batch.records.map((each) => `record ${numberOf(each)}`));
          if (told.length === 1) await gate.passed;
          await commitAll(batch);
        }),
        handleLost: async ({ gaps }) =>
          void told.push(...gaps.map(({ from, to }) => `lost ${from} to ${to}`)),
      });
      await log.publish("events", [record("user", 1)]);
      await eventually(() => withLength(told, 1));
      await log.publish("events", [record("user", 2)]);
      await harness.deleteEvents();
      await log.publish("events", [record("user", 3)]);
      gate.open();
      await eventually(() => withLength(told, 3));
      expect(told).to.deep.equal(["record 1", "lost 1 to 2", "record 3"]);
    });

    it("are told of where the log ends before the commit, and all that stands in it is delivered again", async () => {
      const { consumer, seen } = await collect(log);
      await log.publish("events", [record("user", 1), record("user", 2)]);
      await eventually(() => withLength(seen, 2));
      await eventually(async () => expect(sumOf(await log.readLag())).to.equal(0));
      await consumer.close();
      await harness.loseTheEnd();
      expect(sumOf(await log.readLag())).to.be.greaterThan(0);
      const next = await collect(log);
      const [gap] = await eventually(() => withLength(next.lost, 1));
      expect(gap?.to).to.equal("0");
      expect(Number(gap?.from)).to.be.greaterThan(1);
      await log.publish("events", [record("user", 3)]);
      await eventually(async () => expect(next.seen.map(numberOf)).to.include.members([1, 3]));
      await eventually(async () => expect(sumOf(await log.readLag())).to.equal(0));
      expect(next.lost).to.have.lengthOf(1);
    });

    it("are no news once the group has committed them", async () => {
      const { consumer, seen } = await collect(log);
      await log.publish("events", [record("user", 1), record("user", 2)]);
      await eventually(() => withLength(seen, 2));
      await eventually(async () => expect(sumOf(await log.readLag())).to.equal(0));
      await consumer.close();
      await harness.deleteEvents();
      const next = await collect(log);
      await log.publish("events", [record("user", 3)]);
      await eventually(() => withLength(next.seen, 1));
      expect(next.lost).to.deep.equal([]);
    });

    it("are told of without a beginning to a group that has committed nothing yet", async () => {
      await log.publish("events", [record("user", 1)]);
      await harness.deleteEvents();
      const { lost } = await collect(log);
      const [gap] = await eventually(() => withLength(lost, 1));
      expect(gap).to.include({ from: null, to: "1" });
    });
  });

  describe("while nobody answers", () => {
    let away: EventLog;

    beforeEach(() => {
      away = harness.connectToNobody();
      opened.push(away);
    });

    const calls: readonly [string, (log: EventLog) => Promise<unknown>][] = [
      ["publish", (log) => log.publish("events", [record("user", 1)])],
      ["ensureTopics", (log) => log.ensureTopics()],
      ["readAll", (log) => log.readAll("dead-letters", () => Promise.resolve())],
      ["readLag", (log) => log.readLag()],
      ["startConsumer", (log) => log.startConsumer(handler(commitAll))],
    ];
    for (const [name, call] of calls) {
      it(`rejects ${name} as retriable within three seconds`, async () => {
        const startedAt = performance.now();
        const error = await call(away).then(
          () => null,
          (reason: unknown) => reason,
        );
        expect(error).to.be.instanceOf(AppError).and.have.property("code", "dependency-unavailable");
        expect(performance.now() - startedAt).to.be.below(3000);
      });
    }
  });
}

interface Collected {
  readonly seen: LoggedRecord[];
  readonly lost: PartitionGap[];
  readonly consumer: Consumer;
}

async function collect(log: EventLog): Promise<Collected> {
  const seen: LoggedRecord[] = [];
  const lost: PartitionGap[] = [];
  const consumer = await log.startConsumer({
    ...handler(async (batch) => {
      seen.push(...batch.records);
      await commitAll(batch);
    }),
    handleLost: async ({ gaps }) => void lost.push(...gaps),
  });
  return { seen, lost, consumer };
}

async function readWhole(log: EventLog, topic: Topic): Promise<LoggedRecord[]> {
  const seen: LoggedRecord[] = [];
  await log.readAll(topic, async (records) => void seen.push(...records));
  return seen;
}

function sumOf(lags: readonly PartitionLag[]): number {
  return lags.reduce((sum, { records }) => sum + records, 0);
}

function createGate() {
  let open: () => void = () => undefined;
  const passed = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { passed, open: () => open() };
}

function handler(handleBatch: (batch: RecordBatch) => Promise<void>) {
  return {
    handleBatch,
    handleLost: async () => undefined,
    onCrash: (error: unknown) => {
      throw error;
    },
  };
}

async function commitAll(batch: RecordBatch): Promise<void> {
  const last = batch.records.at(-1);
  if (last) await batch.commit(last);
}

function record(key: string, n: number): EventRecord {
  return { key, value: new TextEncoder().encode(String(n)), headers: {} };
}

function numberOf({ value }: LoggedRecord): number {
  return Number(text(value));
}

const placeOf = ({ partition, offset }: LoggedRecord) => `${partition}:${offset}`;

/** What is published may come to lie in the log twice, when an acknowledgement was late; it never gets lost. */
function expectEachPlaceOnce(seen: readonly LoggedRecord[], published: readonly number[]): void {
  expect(new Set(seen.map(placeOf)).size).to.equal(seen.length);
  expect([...new Set(seen.map(numberOf))].toSorted((a, b) => a - b)).to.deep.equal(published);
}

function text(sent: Uint8Array | null): string | null {
  return sent && new TextDecoder().decode(sent);
}

function bytes(sent: unknown): number[] | null {
  return sent instanceof Uint8Array ? [...sent] : null;
}

function withLength<T>(list: readonly T[], length: number): readonly T[] {
  expect(list).to.have.lengthOf(length);
  return list;
}

function range(count: number): number[] {
  return Array.from({ length: count }, (_, n) => n);
}
