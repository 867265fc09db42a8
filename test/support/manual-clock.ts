import { createHash } from "node:crypto";
import type { Platform } from "../../shared/ports/platform.ts";
import { createSleep } from "./sleep.ts";

export interface ManualPlatform extends Platform {
  /** Lets both clocks run on, and every timer that falls due fire in its order. */
  advance(ms: number): Promise<void>;
  /** Steps the wall clock alone. */
  stepWall(ms: number): void;
  /** As a suspended machine: the wall clock runs on, the monotonic one and the timers do not. */
  suspend(ms: number): void;
  /** Lets everything that is ready run, without letting time pass. */
  settle(): Promise<void>;
  /** How many timers wait. */
  readonly waiting: number;
}

interface Timer {
  readonly dueMs: number;
  readonly order: number;
  readonly fire: () => void;
}

/** A platform whose time moves only when a test says so, and whose ids and chance repeat. */
export function createManualPlatform(startMs = Date.UTC(2026, 0, 15, 12), seed = "seed"): ManualPlatform {
  let wallMs = startMs;
  let monotonicMs = 1_000;
  let suspendedMs = 0;
  let order = 0;
  let draws = 0;
  const timers = new Set<Timer>();

  const draw = (length: number): Uint8Array => {
    const blocks: Buffer[] = [];
    for (let made = 0; made < length; made += 32) {
      draws += 1;
      blocks.push(createHash("sha256").update(`${seed}:${draws}`).digest());
    }
    return Buffer.concat(blocks).subarray(0, length);
  };

  const after = (delayMs: number, callback: () => void) => {
    order += 1;
    const timer: Timer = { dueMs: monotonicMs + Math.max(0, delayMs), order, fire: callback };
    timers.add(timer);
    return () => void timers.delete(timer);
  };

  const nextDue = (untilMs: number): Timer | undefined =>
    [...timers].filter((t) => t.dueMs <= untilMs).sort((a, b) => a.dueMs - b.dueMs || a.order - b.order)[0];

  async function advance(ms: number): Promise<void> {
    const untilMs = monotonicMs + ms;
    await settle();
    for (let timer = nextDue(untilMs); timer; timer = nextDue(untilMs)) {
      const passed = Math.max(0, timer.dueMs - monotonicMs);
      monotonicMs += passed;
      wallMs += passed;
      timers.delete(timer);
      timer.fire();
      await settle();
    }
    wallMs += untilMs - monotonicMs;
    monotonicMs = untilMs;
    await settle();
  }

  return {
    clock: {
      wallMs: () => wallMs,
      monotonicMs: () => monotonicMs,
      bootMs: () => 5_000_000 + monotonicMs + suspendedMs,
    },
    timers: {
      after,
      sleep: createSleep(after),
    },
    ids: { uuid: () => uuidOf(draw(16)) },
    randomness: { bytes: draw, fraction: () => Buffer.from(draw(4)).readUInt32BE() / 2 ** 32 },
    advance,
    stepWall: (ms) => void (wallMs += ms),
    suspend(ms) {
      wallMs += ms;
      suspendedMs += ms;
    },
    settle,
    get waiting() {
      return timers.size;
    },
  };
}

function uuidOf(bytes: Uint8Array): string {
  const hex = Buffer.from(bytes).toString("hex");
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-a${hex.slice(17, 20)}-${hex.slice(20)}`;
}

async function settle(): Promise<void> {
  for (let turn = 0; turn < 5; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}
