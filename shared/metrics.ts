import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from "prom-client";

/** The metrics of one process, under names that stay: operators alert on them. */
export type Metrics = ReturnType<typeof createMetrics>;

const fastSeconds = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

export function createMetrics(options: { readonly withProcessMetrics: boolean }) {
  const registry = new Registry();
  const registers = [registry];
  if (options.withProcessMetrics) collectDefaultMetrics({ register: registry });

  const counter = <L extends string>(name: string, help: string, labelNames: readonly L[] = []) =>
    new Counter<L>({ name, help, labelNames: [...labelNames], registers });
  const gauge = <L extends string>(name: string, help: string, labelNames: readonly L[] = []) =>
    new Gauge<L>({ name, help, labelNames: [...labelNames], registers });
  const seconds = <L extends string>(name: string, help: string, labelNames: readonly L[] = []) =>
    new Histogram<L>({ name, help, labelNames: [...labelNames], buckets: fastSeconds, registers });

  return {
    contentType: registry.contentType,
    /** Prometheus text format. */
    text: (): Promise<string> => registry.metrics(),

    eventsConsumed: counter("revocation_events_consumed_total", "Events handled by the revoker.", [
      "type",
      "outcome",
    ]),
    eventSeconds: seconds(
      "revocation_event_process_seconds",
      "From taking an event up to having applied it.",
    ),
    deadLetters: counter("revocation_dlq_total", "Events put onto the dead-letter topic.", ["reason"]),
    deadLetterFailures: counter(
      "revocation_dlq_publish_failures_total",
      "Dead letters that could not be written.",
    ),
    eventsPossiblyLost: counter(
      "revocation_events_possibly_lost_total",
      "Events that retention took before they were handled.",
    ),
    outboxEvents: gauge("revocation_outbox_events", "Events that wait to be published."),
    oldestPendingSeconds: gauge(
      "revocation_oldest_pending_seconds",
      "Age of the oldest revocation not applied yet.",
    ),
    repairs: counter("revocation_store_repairs_total", "Repairs of the store from the ledger.", ["cause"]),
    divergences: counter(
      "revocation_divergences_total",
      "What was found missing or damaged and was put right.",
      ["where", "cause"],
    ),
    comparedAt: gauge(
      "revocation_last_comparison_timestamp_seconds",
      "When everything was compared the last time, by the wall clock.",
      ["where"],
    ),
    pruned: counter("revocation_pruned_total", "What the pruner removed.", ["kind"]),
    enforced: counter("revocation_enforced_total", "Receipts settled: enforced by every instance."),

    replicaEntries: gauge("revocation_replica_entries", "Entries in this instance's blacklist."),
    replicaStaleness: gauge(
      "revocation_replica_staleness_seconds",
      "Seconds since this instance was last known fresh.",
    ),
    resyncs: counter("revocation_replica_resyncs_total", "Loads and unplanned syncs.", ["reason"]),
    checks: counter("revocation_checks_total", "Tokens checked against the blacklist.", ["result"]),
    propagationSeconds: seconds(
      "revocation_propagation_seconds",
      "From an addition to the store up to this instance.",
    ),
    openStreams: gauge("revocation_open_streams", "Open event streams."),
    httpSeconds: seconds("http_request_duration_seconds", "Time to answer.", [
      "method",
      "route",
      "status_code",
    ]),
  };
}
