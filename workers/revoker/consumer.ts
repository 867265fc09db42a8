import type { Audit } from "../../shared/audit/audit.ts";
import { AppError } from "../../shared/errors.ts";
import type { Log } from "../../shared/log.ts";
import type { Metrics } from "../../shared/metrics.ts";
import type { EventLog, LoggedRecord, RecordBatch } from "../../shared/ports/event-log.ts";
import type { Ledger } from "../../shared/ports/ledger.ts";
import type { Platform } from "../../shared/ports/platform.ts";
import type { RevocationStore } from "../../shared/ports/revocation-store.ts";
import { runInOrder } from "../in-order.ts";
import type { ApplyEvent, Outcome } from "./apply-event.ts";
import { type BatchRetry, createBatchRetry, type GivenUp } from "./batch-retry.ts";
import { createDeadLetters, type DeadRecord } from "./dead-letters.ts";
import { BatchAbandoned } from "./disposition.ts";
import { firstAdditions } from "./first-additions.ts";
import type { Names } from "./plan.ts";
import { orderingKeyOf, type ReceivedEvent, receiveRecord } from "./received-event.ts";
import type { First } from "./write-revocation.ts";

export interface ConsumerDeps {
  readonly applyEvent: ApplyEvent;
  readonly store: Pick<RevocationStore, "add" | "notifyApplied">;
  readonly ledger: Pick<Ledger, "noteFailed" | "readFence">;
  readonly eventLog: Pick<EventLog, "publish">;
  readonly platform: Platform;
  readonly names: Names;
  readonly namespace: string;
  readonly audit: Audit;
  readonly log: Log;
  readonly metrics: Metrics;
}

interface Arrival {
  readonly record: LoggedRecord;
  readonly received: ReceivedEvent;
  readonly first: First | undefined;
}

/** Events are applied and committed in parts of this size, so that a crash repeats little. */
const partSize = 400;
const additionsAtOnce = 400;

/**
 * Handles one batch: decode -> first additions of all -> apply all, commit up to the first dead record -> dead
 * letters -> commit. An event ends as an applied revocation or as a dead letter; only then does the offset move past
 * it. A dead letter that cannot be written holds up the offset, and no revocation. A batch that is no longer ours is
 * left as it is.
 */
export function createBatchHandler(deps: ConsumerDeps) {
  const { applyEvent, store, platform, names, namespace, log, metrics } = deps;
  const writeDeadLetter = createDeadLetters(deps);

  return async function handleBatch(batch: RecordBatch): Promise<void> {
    const told = new Set<string>();
    const retry = createBatchRetry(batch, platform, (err, attempt) => {
      // What is away is so for hundreds of events at once.
      const what = err instanceof Error ? err.message : String(err);
      log[told.has(what) ? "debug" : "warn"]("revoker.retrying", {
        partition: batch.partition,
        attempt,
        err,
      });
      told.add(what);
    });
    try {
      const { arrivals, dead } = await receive(batch.records, retry);
      const written = await writeFirst(arrivals, retry);
      let isHeldUp = false;
      for (let start = 0; start < batch.records.length; start += partSize) {
        const part = batch.records.slice(start, start + partSize);
        const applicable = part.flatMap((record) => written.get(record) ?? []);
        for (const given of await applyPart(applicable, retry)) dead.set(given.record, given);
        const firstDead = part.findIndex((record) => dead.has(record));
        if (!isHeldUp) await commit(batch, firstDead === -1 ? part : part.slice(0, firstDead), retry);
        isHeldUp ||= firstDead !== -1;
      }
      if (!isHeldUp) return;
      for (const record of batch.records) {
        const buried = dead.get(record);
        if (buried !== undefined) await writeDeadLetter(buried, retry);
      }
      await commit(batch, batch.records, retry);
    } catch (error) {
      if (!(error instanceof BatchAbandoned)) throw error;
      log.info("revoker.batch-abandoned", { partition: batch.partition });
    }
  };
  async function commit(batch: RecordBatch, done: readonly LoggedRecord[], retry: BatchRetry): Promise<void> {
    const last = done.at(-1);
    if (last === undefined) return;
    await retry.heartbeat();
    await batch.commit(last);
  }

  async function receive(records: readonly LoggedRecord[], retry: BatchRetry) {
    const arrivals: Arrival[] = [];
    const dead = new Map<LoggedRecord, DeadRecord>();
    for (const record of records) {
      const givenUp = await retry.attempt(() => {
        const reception = receiveRecord(record, namespace);
        if (reception.ok) arrivals.push({ record, received: reception.received, first: undefined });
        else dead.set(record, { ...reception, record, attempts: 1, eventId: reception.ownId });
        return Promise.resolve();
      });
      if (givenUp !== null) dead.set(record, bury(record, givenUp));
    }
    return { arrivals, dead };
  }

  function bury(record: LoggedRecord, why: GivenUp, eventId?: string): DeadRecord {
    const { reason, detail, attempts, isBug, error } = why;
    const { partition, offset } = record;
    if (isBug) log.error("revocation.failed", { partition, offset, err: error });
    return { record, reason, detail, attempts, eventId };
  }

  async function writeFirst(arrivals: readonly Arrival[], retry: BatchRetry) {
    const written = new Map(arrivals.map((arrival) => [arrival.record, arrival]));
    const nowMs = platform.clock.wallMs();
    const first = arrivals.map((arrival) => ({
      arrival,
      additions: firstAdditions(arrival.received, nowMs, names),
    }));
    const withAdditions = first.filter(({ additions }) => additions.length > 0);
    for (let start = 0; start < withAdditions.length; start += additionsAtOnce) {
      const chunk = withAdditions.slice(start, start + additionsAtOnce);
      const failed = await retry.attempt(async () => {
        const answer = await store.add(chunk.flatMap(({ additions }) => additions));
        for (const { arrival, additions } of chunk) {
          written.set(arrival.record, { ...arrival, first: { additions, written: answer } });
        }
      });
      // One of them is to blame; each is tried by itself when it is applied.
      if (failed !== null) log.error("revoker.first-additions-failed", { err: failed.error });
    }
    return written;
  }

  /** Answers with those that were given up. */
  async function applyPart(arrivals: readonly Arrival[], retry: BatchRetry): Promise<DeadRecord[]> {
    const applied: string[] = [];
    const dead: DeadRecord[] = [];
    const order = { limit: partSize, keyOf: ({ received }: Arrival) => orderingKeyOf(received) };
    await runInOrder(arrivals, order, async (arrival) => {
      const given = await applyOne(arrival, retry);
      if (given === null) applied.push(arrival.received.eventId);
      else dead.push(given);
    });
    if (applied.length === 0) return dead;
    store.notifyApplied(applied).catch((err: unknown) => log.debug("revoker.notify-failed", { err }));
    return dead;
  }

  async function applyOne(
    { record, received, first }: Arrival,
    retry: BatchRetry,
  ): Promise<DeadRecord | null> {
    const { eventId, event } = received;
    const startedAtMs = platform.clock.monotonicMs();
    let outcome: Outcome | undefined;
    const givenUp = await retry.attempt(async (attempt) => {
      const { heartbeat } = retry;
      outcome = await applyEvent(received, { heartbeat, first: attempt === 1 ? first : undefined });
    });
    if (givenUp !== null) {
      metrics.eventsConsumed.inc({ type: event.type, outcome: "dead-letter" });
      return bury(record, givenUp, isOfOther(givenUp.error) ? undefined : eventId);
    }
    metrics.eventsConsumed.inc({ type: event.type, outcome: outcome ?? "applied" });
    metrics.eventSeconds.observe((platform.clock.monotonicMs() - startedAtMs) / 1_000);
    if (outcome !== "kept") log.info("revocation.applied", { event_id: eventId, type: event.type, outcome });
    return null;
  }
}

/** Then the row is another event's, which has not failed. */
function isOfOther(error: unknown): boolean {
  return error instanceof AppError && error.code === "idempotency-conflict";
}
