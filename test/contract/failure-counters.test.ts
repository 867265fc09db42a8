import { expect } from "chai";
import { Redis } from "ioredis";
import { afterEach, beforeEach, describe, it } from "mocha";
import { createInProcessFailureCounters } from "../../shared/in-process/failure-counters.ts";
import { silentLog } from "../../shared/log.ts";
import type { FailureCounters } from "../../shared/ports/failure-counters.ts";
import { connectRedisFailureCounters } from "../../shared/redis/failure-counters.ts";
import { eventually } from "../support/eventually.ts";
import { describeWithServices, freshNamespace } from "../support/services.ts";
import { failureCountersContract } from "./failure-counters.contract.ts";

failureCountersContract("in-process", () => {
  const counters = createInProcessFailureCounters();
  return Promise.resolve({ connect: () => Promise.resolve(counters), close: () => Promise.resolve() });
});

describeWithServices("with a Redis server", ["redis"], ({ redisUrl }) => {
  const namespace = freshNamespace();
  let redis: Redis;
  const opened: FailureCounters[] = [];

  async function connect(url = redisUrl): Promise<FailureCounters> {
    const counters = connectRedisFailureCounters({ url, namespace, log: silentLog });
    const key = `connection-${opened.push(counters)}`;
    const probe = counters.open("probe", 60);
    if (url === redisUrl) {
      await eventually(async () => {
        await probe.add(key);
        expect(await redis.exists(`{${namespace}}:failures:probe:${key}`)).to.equal(1);
      });
    }
    return counters;
  }

  beforeEach(() => {
    redis = new Redis(redisUrl);
  });
  afterEach(async () => {
    for (const counters of opened.splice(0)) counters.close();
    const keys = await redis.keys(`{${namespace}}:*`);
    if (keys.length > 0) await redis.unlink(...keys);
    redis.disconnect();
  });

  failureCountersContract("Redis", () => Promise.resolve({ connect, close: () => Promise.resolve() }));

  it("leave no key that does not die with its window", async () => {
    await (await connect()).open("account", 60).add("a");
    expect(await redis.pttl(`{${namespace}}:failures:account:a`)).to.be.within(1, 60_000);
  });

  describe("that is away", () => {
    it("leave each process to count for itself", async () => {
      const counters = await connect("redis://127.0.0.1:9");
      const counter = counters.open("account", 60);
      expect((await counter.add("a")).failures).to.equal(1);
      expect((await counter.add("a")).failures).to.equal(2);
      expect(await counter.read("a")).to.include({ failures: 2 });
    });
  });
});
