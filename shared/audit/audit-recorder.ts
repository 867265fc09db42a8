import { isRetriable } from "../errors.ts";
import type { Log } from "../log.ts";
import type { Metrics } from "../metrics.ts";
import type {
  AuditEntry,
  AuditedProcess,
  AuditRecord,
  AuditStore,
  RegisterNoteKind,
} from "../ports/audit-store.ts";
import type { Platform } from "../ports/platform.ts";
import { appendToRegister } from "./append-to-register.ts";
import { type Audit, type AuditRequest, auditEntryOf } from "./audit.ts";
import { linkRecord, noHash } from "./audit-chain.ts";

export interface AuditRecorderDeps extends Platform {
  readonly store: Pick<AuditStore, "append" | "lastOfRegister" | "appendToRegister">;
  readonly process: AuditedProcess;
  readonly instanceId: string;
  readonly log: Log;
  readonly metrics: Pick<Metrics, "auditDropped">;
  /** How many records may wait. */
  readonly maxWaiting?: number;
}

export interface AuditRecorder extends Audit {
  /** Writes what waits, if the database takes it, and notes the chain's end. Idempotent. */
  close(): Promise<void>;
}

type Waiting = AuditEntry & { readonly atMs: number };

const defaultMaxWaiting = 10_000;
const batchSize = 500;
/** What is recorded meanwhile is written together. */
const gatherMs = 200;
const headIntervalMs = 5 * 60_000;
const longestPauseMs = 30_000;
/** A process that ends has little time, and more to do with it. */
const closeLimitMs = 2_500;

/**
 * The chain of one process's life. Records wait in memory and are written in the background, so a process that is
 * killed loses those of the last moments; one that ends by itself does not. Each start of a chain is in the register
 * before its first record is written, and its head right after that and every few minutes.
 */
export function createAuditRecorder(deps: AuditRecorderDeps): AuditRecorder {
  const { store, clock, timers, randomness, log, metrics, maxWaiting = defaultMaxWaiting } = deps;
  const chain = deps.ids.uuid();
  const closing = new AbortController();
  let waiting: Waiting[] = [];
  let dropped = 0;
  /** Formed, and perhaps written: it is written again as it is until that is known. */
  let batch: readonly AuditRecord[] = [];
  let head = { seq: 0, hash: noHash };
  let notedSeq = 0;
  let notedAtMs = 0;
  let isRegistered = false;
  let isHeadDue = false;
  let draining: Promise<void> | undefined;
  let closed: Promise<void> | undefined;

  function record(request: AuditRequest): void {
    if (waiting.length >= maxWaiting || closed !== undefined) {
      dropped += 1;
      metrics.auditDropped.inc();
      return;
    }
    noteGap();
    waiting.push({ ...auditEntryOf(request), atMs: clock.wallMs() });
    draining ??= drainSoon();
  }

  function noteGap(): void {
    if (dropped === 0) return;
    const gap = auditEntryOf({
      action: "audit.gap",
      count: dropped,
      reason: "more was recorded than could be written",
    });
    waiting.push({ ...gap, atMs: clock.wallMs() });
    dropped = 0;
  }

  async function drainSoon(): Promise<void> {
    await timers.sleep(gatherMs, closing.signal);
    await drain();
    draining = drainAgain();
    if (head.seq === notedSeq || isHeadDue) return;
    isHeadDue = true;
    timers.after(headIntervalMs, noteHeadLater);
  }

  /** For what was recorded in the last moment of a round. */
  function drainAgain(): Promise<void> | undefined {
    return waiting.length > 0 && !closing.signal.aborted ? drainSoon() : undefined;
  }

  async function drain(): Promise<void> {
    let failures = 0;
    while (countUnwritten() > 0) {
      try {
        await writeBatch();
        if (failures > 0) log.info("audit.recovered");
        failures = 0;
      } catch (err) {
        if (closing.signal.aborted) return;
        failures += 1;
        if (!isRetriable(err)) log.error("audit.write-failed", { err });
        else if (failures === 1) log.warn("audit.write-failed", { err });
        const pauseMs = Math.min(longestPauseMs, 250 * 2 ** Math.min(failures, 10));
        await timers.sleep(pauseMs * (0.5 + randomness.fraction() / 2), closing.signal);
      }
    }
  }

  function countUnwritten(): number {
    return batch.length + waiting.length + dropped;
  }

  async function writeBatch(): Promise<void> {
    if (!isRegistered) {
      await note("started");
      isRegistered = true;
    }
    if (batch.length === 0) {
      if (waiting.length < batchSize) noteGap();
      batch = chained(waiting.slice(0, batchSize));
      waiting = waiting.slice(batch.length);
    }
    await store.append(batch);
    const { seq = 0, hash = noHash } = batch.at(-1) ?? {};
    head = { seq, hash };
    batch = [];
    if (notedSeq === 0 || clock.monotonicMs() - notedAtMs >= headIntervalMs) await noteHead("head");
  }

  function chained(entries: readonly Waiting[]): AuditRecord[] {
    let { seq, hash: previous } = head;
    return entries.map((entry) => {
      seq += 1;
      const { process, instanceId: instance } = deps;
      const record = linkRecord({ ...entry, chain, seq, process, instance, previous });
      previous = record.hash;
      return record;
    });
  }

  async function noteHead(kind: "head" | "ended"): Promise<void> {
    await note(kind);
    notedSeq = head.seq;
    notedAtMs = clock.monotonicMs();
  }

  /** The log has it too: whoever can change the database may not be able to change where the log goes. */
  async function note(kind: RegisterNoteKind): Promise<void> {
    const { seq, hash: recordHash } = head;
    const entry = await appendToRegister(store, { kind, chain, seq, recordHash, atMs: clock.wallMs() });
    const register = `${entry.place}:${entry.hash}`;
    log.info("audit.noted", { kind, chain, seq, hash: recordHash, register });
  }

  function noteHeadLater(): void {
    isHeadDue = false;
    if (draining !== undefined || head.seq === notedSeq || closed !== undefined) return;
    draining = noteHeadAlone();
  }

  async function noteHeadAlone(): Promise<void> {
    await noteHead("head").catch((err: unknown) => log.warn("audit.note-failed", { err }));
    draining = drainAgain();
  }

  async function end(): Promise<void> {
    closing.abort();
    const ended = new AbortController();
    await Promise.race([finish(), timers.sleep(closeLimitMs, ended.signal)]);
    ended.abort();
    const lost = countUnwritten();
    if (lost > 0) log.error("audit.lost", { chain, records: lost });
  }

  async function finish(): Promise<void> {
    await draining;
    await drain();
    if (head.seq === 0) return;
    await noteHead("ended").catch((err: unknown) => log.warn("audit.note-failed", { err }));
  }

  return { record, close: () => (closed ??= end()) };
}
