import { expect } from "chai";
import { afterEach, beforeEach, it } from "mocha";
import { connectKafka } from "../../shared/kafka/event-log.ts";
import { silentLog } from "../../shared/log.ts";
import { createPlatform } from "../../shared/platform.ts";
import type { EventLog } from "../../shared/ports/event-log.ts";
import { describeWithServices, freshNamespace } from "../support/services.ts";

describeWithServices("Kafka, given a record that is too large for it", ["kafka"], ({ kafkaBrokers }) => {
  let log: EventLog;

  beforeEach(async () => {
    const place = { namespace: freshNamespace(), clientId: "test", log: silentLog };
    log = connectKafka({ ...place, ...createPlatform(), brokers: kafkaBrokers.split(",") });
    await log.ensureTopics();
  });
  afterEach(() => log.close());

  it("refuses that one, and takes what was published beside it", async () => {
    const sizes = [10, 3_000_000, 20];
    const outcomes = await Promise.allSettled(
      sizes.map((size) => log.publish("events", [{ key: "k", value: Buffer.alloc(size, "x"), headers: {} }])),
    );
    expect(outcomes.map(({ status }) => status)).to.deep.equal(["fulfilled", "rejected", "fulfilled"]);
    const kept: number[] = [];
    await log.readAll("events", async (records) => {
      kept.push(...records.map(({ value }) => value?.byteLength ?? 0));
    });
    // One may be written twice: whoever reads knows it by its id.
    expect([...new Set(kept)].toSorted((a, b) => a - b)).to.deep.equal([10, 20]);
  });
});
