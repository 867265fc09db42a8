import { expect } from "chai";
import { beforeEach, describe, it } from "mocha";
import { dependencyUnavailable } from "../../../shared/errors.ts";
import { createMetrics, type Metrics } from "../../../shared/metrics.ts";
import type { PartitionLag } from "../../../shared/ports/event-log.ts";
import { createMeasureLag } from "../../../workers/measure-lag.ts";

describe("measureLag", () => {
  let metrics: Metrics;
  let isMember: boolean;
  let calls: number;
  let answer: () => Promise<PartitionLag[]>;
  const measureLag = () =>
    createMeasureLag({
      metrics,
      hasJoined: () => isMember,
      eventLog: { readLag: () => ((calls += 1), answer()) },
    })();
  const lags = async () => (await metrics.consumerLag.get()).values.map(({ value }) => value);

  beforeEach(async () => {
    metrics = createMetrics({ withProcessMetrics: false });
    [isMember, calls] = [true, 0];
    answer = () => Promise.resolve([{ topic: "t", partition: 3, records: 7 }]);
    await measureLag();
  });

  it("notes the lag of each partition", async () => {
    const { values } = await metrics.consumerLag.get();
    expect(values).to.deep.equal([{ value: 7, labels: { topic: "t", partition: 3 } }]);
  });

  it("forgets it when it cannot be read", async () => {
    answer = () => Promise.reject(dependencyUnavailable("kafka", new Error("away")));
    const error = await measureLag().catch((e: unknown) => e);
    expect(error).to.have.property("code", "dependency-unavailable");
    expect(await lags()).to.deep.equal([]);
  });

  it("forgets it without asking while the worker is no member of its group", async () => {
    isMember = false;
    await measureLag();
    expect(await lags()).to.deep.equal([]);
    expect(calls).to.equal(1);
  });
});
