import type { DeactivationResult } from "./deactivations.ts";
import type { LoadOptions } from "./options.ts";
import type { Traffic } from "./traffic.ts";

export type LoadReport = ReturnType<typeof createReport>;

type Counted = Pick<Traffic, "requests" | "seconds" | "latenciesMs" | "byInstance" | "innocentsRefused">;

export interface MeasuredTraffic {
  /** In open loop, without deactivations and with them. */
  readonly quiet: Counted;
  readonly busy: Counted;
  readonly closed: Counted;
}

export function createReport(measured: {
  readonly options: Pick<LoadOptions, "seconds" | "connections">;
  /** Ids of all that requests are spread over: one that answered none is the least. */
  readonly instances: readonly string[];
  readonly traffic: MeasuredTraffic;
  readonly deactivations: DeactivationResult;
}) {
  const { options, instances, traffic, deactivations } = measured;
  const { quiet, busy, closed } = traffic;
  const propagations = sorted(deactivations.propagationsMs);
  const all = [quiet, busy, closed];
  return {
    instances: instances.length,
    seconds: options.seconds,
    requests: busy.requests,
    requests_per_second: round(busy.requests / busy.seconds),
    latency_ms: latencyOf(busy),
    latency_without_deactivations_ms: latencyOf(quiet),
    closed_loop: {
      connections: options.connections,
      requests_per_second: round(closed.requests / closed.seconds),
      latency_ms: latencyOf(closed),
    },
    deactivations: propagations.length,
    propagation_ms: { p50: at(propagations, 0.5), p99: at(propagations, 0.99), max: at(propagations, 1) },
    revoked_probes: least(deactivations.probes.values()),
    innocent_probes: least(instances.map((id) => busy.byInstance.get(id) ?? 0)),
    accepted_after_enforced: deactivations.acceptedAfterEnforced,
    innocents_refused: all.reduce((sum, { innocentsRefused }) => sum + innocentsRefused, 0),
  };
}

/** No promise was broken, and each instance was asked what could have shown that one is. */
export function isPassed(report: LoadReport): boolean {
  const isKept = report.accepted_after_enforced === 0 && report.innocents_refused === 0;
  return isKept && report.revoked_probes > 0 && report.innocent_probes > 0;
}

export function renderReport(report: LoadReport): string {
  const { propagation_ms: propagation, closed_loop: closed } = report;
  return [
    `${report.instances} instances, ${report.seconds} s, ${report.requests} requests (${report.requests_per_second}/s)`,
    `latency      ${latencyText(report.latency_ms)}   with deactivations going on`,
    `             ${latencyText(report.latency_without_deactivations_ms)}   without`,
    `closed loop  ${closed.requests_per_second} requests/s, ${closed.connections} at once, ${latencyText(closed.latency_ms)}`,
    `propagation  p50 ${propagation.p50} ms   p99 ${propagation.p99} ms   max ${propagation.max} ms` +
      `   (${report.deactivations} deactivations, until the last instance refused)`,
    `revoked tokens accepted after their receipt said enforced: ${report.accepted_after_enforced}` +
      ` (of at least ${report.revoked_probes} tries on each instance)`,
    `innocents refused: ${report.innocents_refused} (of at least ${report.innocent_probes} requests on each instance)`,
  ].join("\n");
}

function latencyOf({ latenciesMs }: Counted) {
  const ordered = sorted(latenciesMs);
  return { p50: at(ordered, 0.5), p99: at(ordered, 0.99), p999: at(ordered, 0.999) };
}

function latencyText({ p50, p99, p999 }: ReturnType<typeof latencyOf>): string {
  return `p50 ${p50} ms   p99 ${p99} ms   p99.9 ${p999} ms`;
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
