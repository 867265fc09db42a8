import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from "prom-client";
import { deadLetterReasons } from "./events/event.ts";

/** The metrics of one process, under names that stay: operators alert on them. */
export type Metrics = ReturnType<typeof createMetrics>;

/** A look into memory: mostly below a microsecond's few. */
const memorySeconds = [1e-6, 2.5e-6, 5e-6, 1e-5, 2.5e-5, 5e-5, 1e-4, 1e-3, 1e-2];
const fastSeconds = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

export interface MetricsOptions {
  readonly withProcessMetrics: boolean;
  /**
   * Whose metrics are exported; those of every process unless given. A gauge that nobody here sets would look like a
   * measurement, and an alert would believe it.
   */
  readonly of?: "api" | "worker";
}

export function createMetrics(options: MetricsOptions) {
  const registry = new Registry();
  if (options.withProcessMetrics) collectDefaultMetrics({ register: registry });
  const registersOf = (owner: "api" | "worker") =>
    options.of === undefined || options.of === owner ? [registry] : [];

  return {
    contentType: registry.contentType,
    /** Prometheus text format. */
    text: (): Promise<string> => registry.metrics(),
    ...createSharedMetrics([registry]),
    ...createWorkerMetrics(registersOf("worker")),
    ...createApiMetrics(registersOf("api")),
  };
}

function createSharedMetrics(registers: Registry[]) {
  const { counter, gauge } = metricsIn(registers);
  return {
    divergences: counter(
      "revocation_divergences_total",
      "What was found missing or damaged and was put right.",
      ["where", "cause"],
    ),
    holds: counter(
      "revocation_holds_total",
      "Mass deactivations that were held, and what became of them; a redelivery may count again.",
      ["outcome"],
    ),
    comparedAt: gauge(
      "revocation_last_comparison_timestamp_seconds",
      "When everything was compared the last time, by the wall clock.",
      ["where"],
    ),
    auditDropped: counter(
      "audit_dropped_total",
      "Decisions that were not recorded, since too many records waited for the database.",
    ),
  };
}

function createWorkerMetrics(registers: Registry[]) {
  const { counter, measured, gauge, seconds } = metricsIn(registers);
  const deadLetters = counter("revocation_dlq_total", "Events put onto the dead-letter topic.", ["reason"]);
  for (const reason of deadLetterReasons) deadLetters.inc({ reason }, 0);
  return {
    eventsConsumed: counter("revocation_events_consumed_total", "Events handled by the revoker.", [
      "type",
      "outcome",
    ]),
    eventSeconds: seconds(
      "revocation_event_process_seconds",
      "From taking an event up to having applied it.",
    ),
    appliedSeconds: seconds(
      "revocation_applied_seconds",
      "From a revocation's being asked for up to the store and the ledger holding it, by the clocks of two processes.",
    ),
    rebalanceSeconds: seconds(
      "revocation_kafka_rebalance_seconds",
      "From losing the place in the group of workers up to having one again: its partitions stand still meanwhile.",
    ),
    consumerLag: gauge(
      "revocation_kafka_consumer_lag",
      "Events that the group of workers has not committed.",
      ["topic", "partition"],
    ),
    deadLetters,
    deadLetterFailures: counter(
      "revocation_dlq_publish_failures_total",
      "Dead letters that could not be written.",
    ),
    eventsPossiblyLost: counter(
      "revocation_events_possibly_lost_total",
      "Events that retention took before they were handled.",
    ),
    outboxEvents: measured("revocation_outbox_events", "Events that wait to be published."),
    outboxOldestSeconds: measured(
      "revocation_outbox_oldest_seconds",
      "Age of the oldest event that waits to be published, applied or not.",
    ),
    oldestPendingSeconds: measured(
      "revocation_oldest_pending_seconds",
      "Age of the oldest revocation not applied yet.",
    ),
    held: measured("revocation_held", "Revocations that wait for an administrator's confirmation."),
    repairs: counter("revocation_store_repairs_total", "Repairs of the store from the ledger.", ["cause"]),
    pruned: counter("revocation_pruned_total", "What the pruner removed.", ["kind"]),
    enforced: counter("revocation_enforced_total", "Receipts settled: enforced by every instance."),
    /** By the name of the engine. */
    up: new Map([
      ["kafka", measured("revocation_kafka_up", "Whether the worker is a member of its group.")],
      ["mongodb", measured("revocation_mongodb_up", "Whether MongoDB answers.")],
      ["redis", measured("revocation_redis_up", "Whether Redis answers.")],
    ]),
  };
}

function createApiMetrics(registers: Registry[]) {
  const { counter, gauge, seconds } = metricsIn(registers);
  return {
    replicaEntries: gauge("revocation_replica_entries", "Entries in this instance's blacklist."),
    replicaBytes: gauge("revocation_replica_bytes", "Memory that this instance's blacklist takes."),
    replicaCeilingBytes: gauge(
      "revocation_replica_ceiling_bytes",
      "Memory above which an alarm is raised: BLACKLIST_CEILING_MB.",
    ),
    verificationCacheEntries: gauge("verification_cache_entries", "Tokens that are known to be verified."),
    verificationCacheBytes: gauge("verification_cache_bytes", "Memory that those take, about."),
    replicaAccepting: gauge("revocation_replica_accepting", "1 while this instance accepts tokens, else 0."),
    replicaStaleness: gauge(
      "revocation_replica_staleness_seconds",
      "Seconds since this instance was last known fresh; NaN before it was.",
    ),
    replicaPosition: gauge(
      "revocation_replica_last_sequence",
      "The position that this instance enforces: the milliseconds in it.",
    ),
    resyncs: counter("revocation_replica_resyncs_total", "Loads and unplanned syncs.", ["reason"]),
    ...createChecks(registers),
    checkSeconds: seconds(
      "revocation_check_seconds",
      "What the look into the blacklist takes a request: every 16th is measured.",
      memorySeconds,
    ),
    propagationSeconds: seconds(
      "revocation_propagation_seconds",
      "From the store's taking an addition up to this instance's enforcing it, by the clocks of both.",
    ),
    keys: gauge("signing_key_info", "1 for each signing key that this instance knows, by its state.", [
      "kid",
      "state",
    ]),
    keyFilesRefused: counter(
      "signing_key_files_refused_total",
      "New texts of SIGNING_KEYS_FILE that were not taken.",
    ),
    rateLimited: counter("rate_limited_total", "Calls refused since too many attempts failed.", ["by"]),
    openStreams: gauge("revocation_open_streams", "Open event streams."),
    httpSeconds: new Histogram({
      name: "http_request_duration_seconds",
      help: "Time to answer.",
      labelNames: ["method", "route", "status_code"],
      buckets: fastSeconds,
      registers,
    }),
  };
}

/** To count by label at each request would take longer than the check: what was accepted is taken over at a scrape. */
function createChecks(registers: Registry[]) {
  const acceptedChecks = { count: 0 };
  let taken = 0;
  const checks = new Counter({
    name: "revocation_checks_total",
    help: "Tokens checked against the blacklist.",
    labelNames: ["result"],
    registers,
    collect() {
      this.inc({ result: "accepted" }, acceptedChecks.count - taken);
      taken = acceptedChecks.count;
    },
  });
  return { checks, acceptedChecks };
}

function metricsIn(registers: Registry[]) {
  const counter = <L extends string>(name: string, help: string, labelNames: readonly L[] = []) =>
    new Counter<L>({ name, help, labelNames: [...labelNames], registers });
  const gauge = <L extends string>(name: string, help: string, labelNames: readonly L[] = []) =>
    new Gauge<L>({ name, help, labelNames: [...labelNames], registers });
  const seconds = (name: string, help: string, buckets = fastSeconds) =>
    new Histogram({ name, help, buckets, registers });

  /** Has no value until it is measured, and none again after `remove()`: a figure of long ago would pass for one. */
  function measured(name: string, help: string): Gauge {
    const created = gauge(name, help);
    created.remove();
    return created;
  }

  return { counter, gauge, seconds, measured };
}
