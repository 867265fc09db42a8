import { createHash } from "node:crypto";
import { RateLimiterMemory, type RateLimiterRes } from "rate-limiter-flexible";
import type { FailureCount, FailureCounters } from "../ports/failure-counters.ts";

/**
 * Keys share so many counters: memory stays bounded, whatever somebody makes up. Each failure costs a password hash, so
 * nobody fills them all within a window.
 */
const slots = 65_536;

/** How many are too many is for whoever asks to say. */
export const unlimited = Number.MAX_SAFE_INTEGER;

/** The failures that those see who share them. */
export function createInProcessFailureCounters(): FailureCounters {
  const limiters = new Map<string, BoundedLimiter>();
  return {
    open(name, windowSeconds) {
      const limiter =
        limiters.get(name) ??
        new BoundedLimiter({ keyPrefix: name, points: unlimited, duration: windowSeconds });
      limiters.set(name, limiter);
      return {
        read: async (key) => countOf(await limiter.get(key)),
        add: async (key) => countOf(await limiter.penalty(key)),
      };
    },
    close: () => undefined,
  };
}

export class BoundedLimiter extends RateLimiterMemory {
  override getKey(key: string | number): string {
    const digest = createHash("sha256").update(String(key)).digest();
    return super.getKey(digest.readUInt32BE() % slots);
  }
}

/** `null` and a window that has ended mean that nothing has failed. */
export function countOf(found: RateLimiterRes | null): FailureCount {
  if (found === null || found.msBeforeNext <= 0) return { failures: 0, resetsInMs: 0 };
  return { failures: found.consumedPoints, resetsInMs: found.msBeforeNext };
}
