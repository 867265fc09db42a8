import { RateLimiterRedis } from "rate-limiter-flexible";
import { createConnectionAdvisor } from "../connection-advisor.ts";
import { BoundedLimiter, countOf, unlimited } from "../in-process/failure-counters.ts";
import type { Log } from "../log.ts";
import type { FailureCounters } from "../ports/failure-counters.ts";
import type { RedisAddress } from "./address.ts";
import { createConnection } from "./connection.ts";
import { createStoreKeys } from "./keys.ts";

export interface RedisFailureCountersOptions extends RedisAddress {
  readonly namespace: string;
  readonly log: Log;
}

/** A sign-in waits no longer for a count. */
const commandTimeoutMs = 500;

/** On a Redis server, over a connection of its own; while it does not answer, in this process's memory. */
export function connectRedisFailureCounters(options: RedisFailureCountersOptions): FailureCounters {
  const { namespace, ...address } = options;
  const log = options.log.child({ dependency: "redis" });
  const isTls = address.url.startsWith("rediss:");
  const advisor = createConnectionAdvisor({ dependency: "redis", isTls }, log);
  const connection = createConnection({ ...address, log, advisor, name: "failures", commandTimeoutMs });
  void connection.tryToOpen();

  return {
    open(name, windowSeconds) {
      const limiter = new RateLimiterRedis({
        storeClient: connection.redis,
        keyPrefix: `${createStoreKeys(namespace).prefix}failures:${name}`,
        points: unlimited,
        duration: windowSeconds,
        rejectIfRedisNotReady: true,
        insuranceLimiter: new BoundedLimiter({ keyPrefix: name, points: unlimited, duration: windowSeconds }),
      });
      return {
        read: async (key) => countOf(await limiter.get(key)),
        add: async (key) => countOf(await limiter.penalty(key)),
      };
    },
    close: () => connection.close(),
  };
}
