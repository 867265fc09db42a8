import type { Log } from "../../shared/log.ts";
import type { Metrics } from "../../shared/metrics.ts";
import type { EventLog, LoggedRecord, RecordBatch } from "../../shared/ports/event-log.ts";
import type { Platform } from "../../shared/ports/platform.ts";
import type { RevocationStore } from "../../shared/ports/revocation-store.ts";
import { runInOrder } from "../in-order.ts";
import type { ApplyEvent, Outcome } from "./apply-event.ts";
import { type BatchRetry, createBatchRetry } from "./batch-retry.ts";
import { createDeadLetters } from "./dead-letters.ts";
import { BatchAbandoned } from "./disposition.ts";
import { firstAdditions } from "./first-additions.ts";
import type { Names } from "./plan.ts";
import { orderingKeyOf, type ReceivedEvent, receiveRecord } from "./received-event.ts";
import type { First } from "./write-revocation.ts";

export interface ConsumerDeps {
  readonly applyEvent: ApplyEvent;
  readonly store: Pick<RevocationStore, "add" | "notifyApplied">;
  readonly eventLog: Pick<EventLog, "publish">;
  readonly platform: Platform;
  readonly names: Names;
  readonly namespace: string;
  readonly log: Log;
  readonly metrics: Metrics;
}

interface Arrival {
  readonly record: LoggedRecord;
  readonly received: ReceivedEvent;
  readonly first: First | undefined;
}

/** Events are applied and committed in parts of this size, so that a crash repeats little. */
const partSize = 200;
const additionsAtOnce = 400;
const subjectsAtOnce = 16;

/**
 * Handles one batch: decode -> first additions of all -> apply -> commit. An event ends as an applied revocation
 * or as a dead letter; only then does the offset move past it. A batch that is no longer ours is left as it is.
 */
export function createBatchHandler(deps: ConsumerDeps) {
  const { applyEvent, store, platform, names, namespace, log, metrics } = deps;
  const deadLetters = createDeadLetters(deps);

  return async function handleBatch(batch: RecordBatch): Promise<void> {
    const retry = createBatchRetry(batch, platform, (err, attempt) => {
      const fields = { partition: batch.partition, attempt, err };
      if (attempt === 1) log.warn("revoker.retrying", fields);
      else log.debug("revoker.retrying", fields);
    });
    try {
      const arrivals = await receive(batch.records, retry);
      const written = await writeFirst(arrivals, retry);
      for (let start = 0; start < batch.records.length; start += partSize) {
        const part = batch.records.slice(start, start + partSize);
        await applyPart(
          part.flatMap((record) => written.get(record) ?? []),
          retry,
        );
        const last = part.at(-1);
        await retry.heartbeat();
        if (last !== undefined) await batch.commit(last);
      }
    } catch (error) {
      if (!(error instanceof BatchAbandoned)) throw error;
      log.info("revoker.batch-abandoned", { partition: batch.partition });
    }
  };

  async function receive(records: readonly LoggedRecord[], retry: BatchRetry): Promise<Arrival[]> {
    const arrivals: Arrival[] = [];
    for (const record of records) {
      const refused = await retry.attempt(async () => {
        const reception = receiveRecord(record, namespace);
        if (reception.ok) arrivals.push({ record, received: reception.received, first: undefined });
        else await deadLetters.write(record, { ...reception, attempts: 1 }, retry);
      });
      if (refused !== null) await deadLetters.giveUp(record, refused, retry);
    }
    return arrivals;
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

  async function applyPart(arrivals: readonly Arrival[], retry: BatchRetry): Promise<void> {
    const applied: string[] = [];
    const order = { limit: subjectsAtOnce, keyOf: ({ received }: Arrival) => orderingKeyOf(received) };
    await runInOrder(arrivals, order, async (arrival) => {
      if (await applyOne(arrival, retry)) applied.push(arrival.received.eventId);
    });
    if (applied.length === 0) return;
    store.notifyApplied(applied).catch((err: unknown) => log.debug("revoker.notify-failed", { err }));
  }

  async function applyOne({ record, received, first }: Arrival, retry: BatchRetry): Promise<boolean> {
    const { eventId, event } = received;
    const startedAtMs = platform.clock.monotonicMs();
    let outcome: Outcome | undefined;
    const givenUp = await retry.attempt(async (attempt) => {
      const { heartbeat } = retry;
      outcome = await applyEvent(received, { heartbeat, first: attempt === 1 ? first : undefined });
    });
    if (givenUp !== null) {
      await deadLetters.giveUp(record, givenUp, retry);
      metrics.eventsConsumed.inc({ type: event.type, outcome: "dead-letter" });
      return false;
    }
    metrics.eventsConsumed.inc({ type: event.type, outcome: outcome ?? "applied" });
    metrics.eventSeconds.observe((platform.clock.monotonicMs() - startedAtMs) / 1_000);
    log.info("revocation.applied", { event_id: eventId, type: event.type, outcome });
    return true;
  }
}
