import type { DeactivationResult } from "./deactivations.ts";
import type { LoadOptions } from "./options.ts";
import type { TrafficResult } from "./traffic.ts";

export type LoadReport = ReturnType<typeof createReport>;

export function createReport(measured: {
  readonly options: LoadOptions;
  /** 0 where the system was not started here. */
  readonly instances: number;
  readonly traffic: TrafficResult;
  readonly deactivations: DeactivationResult;
}) {
  const { options, traffic, deactivations } = measured;
  const latencies = sorted(traffic.latenciesMs);
  const propagations = sorted(deactivations.propagationsMs);
  return {
    instances: measured.instances || traffic.byInstance.size,
    seconds: options.seconds,
    requests: traffic.requests,
    requests_per_second: round(traffic.requests / options.seconds),
    latency_ms: { p50: at(latencies, 0.5), p99: at(latencies, 0.99), p999: at(latencies, 0.999) },
    deactivations: propagations.length,
    propagation_ms: { p50: at(propagations, 0.5), p99: at(propagations, 0.99), max: at(propagations, 1) },
    revoked_probes: least(deactivations.probes.values()),
    innocent_probes:
      Math.min(...traffic.byInstance.values(), Number.MAX_SAFE_INTEGER) % Number.MAX_SAFE_INTEGER,
    accepted_after_enforced: deactivations.acceptedAfterEnforced,
    innocents_refused: traffic.innocentsRefused,
  };
}

export function renderReport(report: LoadReport): string {
  const { latency_ms: latency, propagation_ms: propagation } = report;
  return [
    `${report.instances} instances, ${report.seconds} s, ${report.requests} requests (${report.requests_per_second}/s)`,
    `latency      p50 ${latency.p50} ms   p99 ${latency.p99} ms   p99.9 ${latency.p999} ms`,
    `propagation  p50 ${propagation.p50} ms   p99 ${propagation.p99} ms   max ${propagation.max} ms` +
      `   (${report.deactivations} deactivations, until the last instance refused)`,
    `revoked tokens accepted after their receipt said enforced: ${report.accepted_after_enforced}` +
      ` (of at least ${report.revoked_probes} tries on each instance)`,
    `innocents refused: ${report.innocents_refused} (of at least ${report.innocent_probes} requests on each instance)`,
  ].join("\n");
}

function least(counts: Iterable<number>): number {
  const all = [...counts];
  return all.length === 0 ? 0 : Math.min(...all);
}

function sorted(values: readonly number[]): number[] {
  return values.toSorted((a, b) => a - b);
}

function at(ordered: readonly number[], quantile: number): number {
  const index = Math.min(ordered.length - 1, Math.ceil(quantile * ordered.length) - 1);
  return round(ordered[Math.max(0, index)] ?? Number.NaN);
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}
