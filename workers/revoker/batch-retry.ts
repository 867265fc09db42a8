import { isRetriable } from "../../shared/errors.ts";
import type { RecordBatch } from "../../shared/ports/event-log.ts";
import type { Platform } from "../../shared/ports/platform.ts";
import { backOffMs } from "../back-off.ts";
import { BatchAbandoned, type Disposition, dispositionOf } from "./disposition.ts";

export type GivenUp = Extract<Disposition, { kind: "dead-letter" }> & {
  readonly attempts: number;
  readonly error: unknown;
};

export interface BatchRetry {
  /** Throws `BatchAbandoned` when the batch is no longer ours. */
  readonly heartbeat: () => Promise<void>;
  /** Tries in place until it succeeds or is not worth another try; throws only `BatchAbandoned`. */
  attempt(run: (attempt: number) => Promise<void>): Promise<GivenUp | null>;
  /** Tries in place for ever, whatever it throws; throws only `BatchAbandoned`. */
  insist(run: () => Promise<void>): Promise<void>;
}

/** An own event is to be applied within seconds, whether or not the log answers: that long each heartbeat holds it up. */
const heartbeatPatienceMs = 500;
/** A sleep is cut into slices, so that a long back-off neither loses the membership nor outlasts a shutdown. */
const sliceMs = 500;

export function createBatchRetry(
  batch: Pick<RecordBatch, "heartbeat" | "isStale">,
  platform: Pick<Platform, "timers" | "randomness">,
  onFailure: (error: unknown, attempt: number) => void,
): BatchRetry {
  const { timers } = platform;
  let unanswered: Promise<void> | undefined;
  let lostBy: BatchAbandoned | undefined;
  const pauses = new Map<number, Promise<void>>();

  /** One that is not answered soon is no sign that the partition was lost: the work goes on, and asks no second time. */
  async function heartbeat(): Promise<void> {
    if (batch.isStale()) throw new BatchAbandoned();
    unanswered ??= beat();
    await unanswered;
    if (lostBy !== undefined) throw lostBy;
  }

  function beat(): Promise<void> {
    const patience = new AbortController();
    const answered = batch
      .heartbeat()
      .catch((cause: unknown) => {
        lostBy = new BatchAbandoned("the partition is no longer ours", { cause });
      })
      .finally(() => {
        unanswered = undefined;
        patience.abort();
      });
    return Promise.race([answered, timers.sleep(heartbeatPatienceMs, patience.signal)]);
  }

  /** What failed together, and as often, is tried again together: its calls to the database are joined then. */
  function backOff(attempt: number): Promise<void> {
    const pause = pauses.get(attempt) ?? sleepOut(attempt).finally(() => pauses.delete(attempt));
    pauses.set(attempt, pause);
    return pause;
  }

  async function sleepOut(attempt: number): Promise<void> {
    let leftMs = backOffMs(attempt, platform.randomness);
    while (leftMs > 0) {
      await heartbeat();
      await timers.sleep(Math.min(leftMs, sliceMs));
      leftMs -= sliceMs;
    }
    await heartbeat();
  }

  async function attempt(run: (attempt: number) => Promise<void>): Promise<GivenUp | null> {
    let failures = 0;
    for (let count = 1; ; count += 1) {
      if (batch.isStale()) throw new BatchAbandoned();
      try {
        await run(count);
        return null;
      } catch (error) {
        if (!isRetriable(error)) failures += 1;
        const disposition = dispositionOf(error, failures);
        if (disposition.kind === "abandon") throw error;
        if (disposition.kind === "dead-letter") return { ...disposition, attempts: count, error };
        onFailure(error, count);
        await backOff(count);
      }
    }
  }

  async function insist(run: () => Promise<void>): Promise<void> {
    for (let count = 1; ; count += 1) {
      if (batch.isStale()) throw new BatchAbandoned();
      try {
        return await run();
      } catch (error) {
        if (error instanceof BatchAbandoned) throw error;
        onFailure(error, count);
        await backOff(count);
      }
    }
  }

  return { heartbeat, attempt, insist };
}
