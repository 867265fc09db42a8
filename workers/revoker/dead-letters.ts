import type { Audit } from "../../shared/audit/audit.ts";
import { createDeadLetter } from "../../shared/events/dead-letter.ts";
import type { DeadLetterReason } from "../../shared/events/event.ts";
import type { Log } from "../../shared/log.ts";
import type { Metrics } from "../../shared/metrics.ts";
import type { EventLog, LoggedRecord } from "../../shared/ports/event-log.ts";
import type { Ledger } from "../../shared/ports/ledger.ts";
import type { Platform } from "../../shared/ports/platform.ts";
import type { BatchRetry } from "./batch-retry.ts";

export interface DeadLetterDeps {
  readonly eventLog: Pick<EventLog, "publish">;
  readonly ledger: Pick<Ledger, "noteFailed" | "readFence">;
  readonly platform: Pick<Platform, "clock">;
  readonly audit: Audit;
  readonly log: Log;
  readonly metrics: Metrics;
}

/** A record that comes to nothing, and why. */
export interface DeadRecord {
  readonly record: LoggedRecord;
  readonly reason: DeadLetterReason;
  readonly detail: string;
  readonly attempts: number;
  /** Of its row in the ledger; undefined where it can have none. */
  readonly eventId: string | undefined;
}

/** A dead letter that cannot be written is tried again until it can: the event is lost otherwise. */
export function createDeadLetters({ eventLog, ledger, platform, audit, log, metrics }: DeadLetterDeps) {
  const { clock } = platform;

  /** The letter before the note: who reads that an event failed is to find its letter. */
  return async function writeDeadLetter(dead: DeadRecord, retry: BatchRetry): Promise<void> {
    const { record, reason, detail, attempts, eventId } = dead;
    const letter = createDeadLetter(record, { reason, detail, attempts, atMs: clock.wallMs() });
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
    audit.record({
      action: "event.dead-lettered",
      object: `${partition}/${offset}`,
      reason,
      ...(eventId !== undefined && { eventId }),
    });
    log.warn("event.dead-lettered", { reason, detail, source_partition: partition, source_offset: offset });
    if (eventId !== undefined) await retry.insist(() => noteFailed(eventId));
  };

  async function noteFailed(eventId: string): Promise<void> {
    const lifetimeSeconds = (await ledger.readFence())?.longest.tokenLifetimeSeconds ?? 0;
    await ledger.noteFailed(eventId, { untilMs: clock.wallMs() + lifetimeSeconds * 1_000 });
  }
}

export type WriteDeadLetter = ReturnType<typeof createDeadLetters>;
