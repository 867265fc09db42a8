import { randomBytes, randomUUID } from "node:crypto";
import { uptime } from "node:os";
import type { Platform } from "./ports/platform.ts";

/** The real machine. Only composition roots and process entries call this. */
export function createPlatform(): Platform {
  return {
    clock: {
      wallMs: () => Date.now(),
      monotonicMs: () => performance.now(),
      bootMs: () => uptime() * 1_000,
    },
    timers: {
      after(delayMs, callback) {
        const timer = setTimeout(callback, delayMs);
        timer.unref();
        return () => clearTimeout(timer);
      },
      sleep(delayMs, signal) {
        return new Promise((resolve) => {
          if (signal?.aborted) return resolve();
          const wake = () => {
            clearTimeout(timer);
            signal?.removeEventListener("abort", wake);
            resolve();
          };
          const timer = setTimeout(wake, delayMs);
          signal?.addEventListener("abort", wake, { once: true });
        });
      },
    },
    ids: { uuid: () => randomUUID() },
    randomness: {
      bytes: (length) => randomBytes(length),
      fraction: () => Math.random(),
    },
  };
}
