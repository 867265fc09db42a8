import { createAuditRecorder } from "../shared/audit/audit-recorder.ts";
import { type HoldSettings, holdsOff } from "../shared/hold-settings.ts";
import type { Running } from "../shared/lifecycle.ts";
import { createClosers, createEnding } from "../shared/lifecycle.ts";
import type { Log } from "../shared/log.ts";
import { createMetrics, type Metrics } from "../shared/metrics.ts";
import { createPublishEvent } from "../shared/outbox/publish-event.ts";
import type { Parts } from "../shared/ports/parts.ts";
import type { Platform } from "../shared/ports/platform.ts";
import { createFingerprinter } from "../shared/revocation/fingerprint.ts";
import { untilDone } from "./back-off.ts";
import { createCoalescedAdd, createCoalescedDatabase } from "./coalesced-ports.ts";
import { startHealthListener } from "./health.ts";
import { createHolds } from "./holds/create-holds.ts";
import { type Loop, startLoop } from "./loop.ts";
import { createMeasureLag } from "./measure-lag.ts";
import { createMeasureRebalances } from "./measure-rebalances.ts";
import { startAuditPruner } from "./pruner/prune-audit-loop.ts";
import { startPruner } from "./pruner/start-pruner.ts";
import { createRelay } from "./relay/relay.ts";
import { appliedEntryOf } from "./revoker/applied-entry.ts";
import { createApplyEvent } from "./revoker/apply-event.ts";
import { createBatchHandler } from "./revoker/consumer.ts";
import { createHandleLost } from "./revoker/lost-events.ts";
import { createReconcile } from "./revoker/reconcile.ts";
import { startRevokerConsumer } from "./start-consumer.ts";

export interface WorkerOptions {
  readonly settings: {
    readonly namespace: string;
    /** `iss` of our own tokens. */
    readonly issuer: string;
    readonly syncIntervalMs: number;
    /** Left out: nothing is held. */
    readonly holds?: HoldSettings;
    /** Left out: nothing of the audit is pruned. */
    readonly auditRetentionDays?: number;
    /** Left out: no listener. */
    readonly health?: { readonly host: string; readonly port: number | undefined };
  };
  readonly platform: Platform;
  readonly log: Log;
  readonly parts: Parts;
  readonly metrics?: Metrics;
}

export interface RunningWorker extends Running {
  /** Undefined without a listener. */
  readonly healthUrl: string | undefined;
  /** Whether it is a member of its group now. */
  hasJoined(): boolean;
}

const relayIntervalMs = 500;
const lagIntervalMs = 5_000;

/**
 * Starts the three roles. Resolves at once, whatever is away: each role waits for what it needs. `closed` rejects
 * when the consumer ended for good; the process is to exit then, and be started again.
 */
export async function startWorker(options: WorkerOptions): Promise<RunningWorker> {
  const { settings, platform, log, parts } = options;
  const { database, store, eventLog } = parts;
  const coalesced = createCoalescedDatabase(database);
  const { users, sessions, ledger } = coalesced;
  const { namespace, issuer, syncIntervalMs, auditRetentionDays } = settings;
  const metrics =
    options.metrics ?? createMetrics({ withProcessMetrics: settings.health !== undefined, of: "worker" });
  const names = { fingerprint: createFingerprinter(issuer), ownIssuer: issuer };
  const { clock } = platform;
  const closers = createClosers(log);
  const ending = createEnding(closers);
  const audit = createAuditRecorder({
    ...platform,
    store: database.audit,
    process: "worker",
    instanceId: platform.ids.uuid(),
    log,
    metrics,
  });
  closers.add("audit", () => audit.close());

  const holds = createHolds({
    database: coalesced,
    eventLog,
    platform,
    settings: settings.holds ?? holdsOff,
    namespace,
    audit,
    log,
    metrics,
  });
  const { applyEvent, rewriteRow, underWay } = createApplyEvent({
    ...holds,
    namespace,
    users,
    sessions,
    ledger,
    store: { add: createCoalescedAdd(store), readState: () => store.readState() },
    clock,
    names,
    onApplied: (received) => {
      const { pendingRow, isConfirmed } = received;
      audit.record(appliedEntryOf(received));
      // It waited for a person.
      if (isConfirmed) return;
      metrics.appliedSeconds.observe(Math.max(0, clock.wallMs() - pendingRow.requestedAtMs) / 1_000);
    },
  });
  const handleBatch = createBatchHandler({
    applyEvent,
    store,
    ledger,
    eventLog,
    platform,
    names,
    namespace,
    audit,
    log,
    metrics,
  });

  const reconcile = createReconcile({ users, ledger, store, applyEvent, clock, namespace, log });
  const consumer = startRevokerConsumer({
    eventLog,
    platform,
    log,
    handleBatch,
    handleLost: createHandleLost({ reconcile, log, metrics }),
    onMembership: createMeasureRebalances(clock, metrics),
    onCrash(cause) {
      log.error("revoker.crashed", { err: cause });
      ending.fail(new Error("the consumer ended for good", { cause }));
    },
  });
  closers.add(
    "pruner",
    startPruner({ database, store, rewriteRow, platform, names, log, metrics, syncIntervalMs }).close,
  );
  if (auditRetentionDays !== undefined) {
    const options = { store: database.audit, platform, log, metrics, retentionDays: auditRetentionDays };
    closers.add("audit pruner", startAuditPruner(options).close);
  }
  closers.add("relay", startRelay().close);
  closers.add("holds", holds.start().close);
  closers.add("lag", startLag().close);
  closers.add("revoker", () => consumer.close());
  closers.add("migration", startMigration());

  const healthUrl = await startHealth().catch(async (error: unknown) => {
    await closers.close();
    throw error;
  });
  log.info("worker.started", { namespace, health_url: healthUrl });

  return {
    healthUrl,
    closed: ending.closed,
    hasJoined: () => consumer.hasJoined(),
    get open() {
      return ending.open;
    },
    close: () => ending.close(),
  };

  function startRelay(): Loop {
    const publishEvent = createPublishEvent({ users, ledger, eventLog });
    const { relay, close } = createRelay({
      users,
      ledger,
      store,
      publishEvent,
      applyEvent,
      giveUp: holds.giveUp,
      underWay,
      platform,
      namespace,
      log,
      metrics,
    });
    const loop = startLoop({ name: "relay", intervalMs: relayIntervalMs, platform, log, run: relay });
    return {
      async close() {
        await loop.close();
        await close();
      },
    };
  }

  function startLag(): Loop {
    const run = createMeasureLag({ eventLog, metrics, hasJoined: () => consumer.hasJoined() });
    return startLoop({ name: "lag", intervalMs: lagIntervalMs, platform, log, run });
  }

  /** Nothing waits for it: what needs an index that is not there yet is slow, not wrong. */
  function startMigration(): () => Promise<void> {
    const stop = new AbortController();
    const onFailure = (err: unknown, attempt: number) => {
      if (attempt === 1) log.warn("worker.migration-failed", { err });
    };
    const migrated = untilDone(() => database.migrate(), { platform, signal: stop.signal, onFailure });
    return async () => {
      stop.abort();
      await migrated;
    };
  }

  async function startHealth(): Promise<string | undefined> {
    if (settings.health === undefined) return undefined;
    const dependencies = {
      kafka: {
        missing: "it has not joined the consumer group: kafka does not answer, or the group rebalances",
        isThere: () => consumer.hasJoined(),
      },
      mongodb: { missing: "mongodb does not answer", isThere: () => database.ping() },
      redis: { missing: "redis does not answer", isThere: () => store.ping() },
    };
    const listener = await startHealthListener({ dependencies, platform, metrics, log }, settings.health);
    closers.add("health listener", () => listener.close());
    return listener.url;
  }
}
