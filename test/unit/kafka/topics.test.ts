import { expect } from "chai";
import { describe, it } from "mocha";
import { ensureTopics, type TopicAdmin } from "../../../shared/kafka/topics.ts";
import { type Log, silentLog } from "../../../shared/log.ts";

const events = "test.user-events";
const deadLetters = "test.user-events.dead-letter";

describe("ensureTopics", () => {
  for (const [brokers, replicationFactor] of [
    [1, 1],
    [2, 2],
    [3, 3],
    [9, 3],
  ] as const) {
    it(`creates ${replicationFactor} copies on ${brokers} brokers`, async () => {
      const created: unknown[] = [];
      await ensureTopics(adminWith({ brokers, created, existing: [] }), optionsWith(silentLog));
      expect(created).to.have.lengthOf(2);
      for (const topic of created) expect(topic).to.include({ replicationFactor });
    });
  }

  it("warns with the command to run where it may not alter a topic", async () => {
    const warnings: Record<string, unknown>[] = [];
    const log = { ...silentLog, warn: (_: string, fields = {}) => void warnings.push(fields) };
    const refusal = Object.assign(new Error("no"), { type: "TOPIC_AUTHORIZATION_FAILED", retriable: false });
    const existing = [events, deadLetters];
    await ensureTopics(adminWith({ brokers: 1, created: [], existing, refusal }), optionsWith(log));
    expect(warnings.map((fields) => fields["topic"])).to.deep.equal([events, deadLetters]);
    expect(warnings[0]?.["run"])
      .to.include(`--entity-name ${events}`)
      .and.include("compression.type=gzip,message.timestamp.type=LogAppendTime");
  });

  it("rejects where Kafka went away meanwhile", async () => {
    const refusal = new Error("connection closed");
    const admin = adminWith({ brokers: 1, created: [], existing: [events], refusal });
    const error = await ensureTopics(admin, optionsWith(silentLog)).catch((e: unknown) => e);
    expect(error).to.equal(refusal);
  });
});

function adminWith(given: {
  readonly brokers: number;
  readonly created: unknown[];
  readonly existing: string[];
  readonly refusal?: Error;
}): TopicAdmin {
  const brokers = Array.from({ length: given.brokers }, (_, nodeId) => ({ nodeId, host: "h", port: 1 }));
  return {
    listTopics: async () => given.existing,
    describeCluster: async () => ({ brokers, controller: 0, clusterId: "c" }),
    createTopics: async ({ topics }) => given.created.push(...topics) > 0,
    describeConfigs: async () => ({ resources: [], throttleTime: 0 }),
    alterConfigs: async () => {
      if (given.refusal) throw given.refusal;
    },
  };
}

function optionsWith(log: Log) {
  return { brokers: ["k:9092"], namespace: "test", log };
}
