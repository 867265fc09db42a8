import { createDeadLetter } from "../../shared/events/dead-letter.ts";
import type { DeadLetterReason } from "../../shared/events/event.ts";
import type { Log } from "../../shared/log.ts";
import type { Metrics } from "../../shared/metrics.ts";
import type { EventLog, LoggedRecord } from "../../shared/ports/event-log.ts";
import type { Platform } from "../../shared/ports/platform.ts";
import type { BatchRetry, GivenUp } from "./batch-retry.ts";

export interface DeadLetterDeps {
  readonly eventLog: Pick<EventLog, "publish">;
  readonly platform: Pick<Platform, "clock">;
  readonly log: Log;
  readonly metrics: Metrics;
}

export interface WhyDead {
  readonly reason: DeadLetterReason;
  readonly detail: string;
  readonly attempts: number;
}

/** A dead letter that cannot be written is tried again until it can: the event is lost otherwise. */
export function createDeadLetters({ eventLog, platform, log, metrics }: DeadLetterDeps) {
  return { giveUp, write };

  async function giveUp(record: LoggedRecord, why: GivenUp, retry: BatchRetry): Promise<void> {
    const { partition, offset } = record;
    if (why.isBug) log.error("revocation.failed", { partition, offset, err: why.error });
    await write(record, why, retry);
  }

  async function write(record: LoggedRecord, why: WhyDead, retry: BatchRetry): Promise<void> {
    const { reason, detail, attempts } = why;
    const letter = createDeadLetter(record, { reason, detail, attempts, atMs: platform.clock.wallMs() });
    await retry.insist(async () => {
      try {
        await eventLog.publish("dead-letters", [letter]);
      } catch (error) {
        metrics.deadLetterFailures.inc();
        throw error;
      }
    });
    metrics.deadLetters.inc({ reason });
    const { partition, offset } = record;
    log.warn("event.dead-lettered", { reason, detail, partition, offset });
  }
}
