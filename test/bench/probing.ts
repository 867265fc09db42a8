import { setTimeout as delay } from "node:timers/promises";
import { createClient } from "../support/client.ts";

export interface ProbingResult {
  readonly answered: number;
  readonly refused: number;
  /** From the first request that was refused until one was answered again; of the instance that refused longest. */
  readonly longest_refusal_ms: number;
  readonly p50_ms: number;
  readonly p99_ms: number;
  readonly max_ms: number;
}

const everyMs = 20;

/** Asks each of the instances for the same protected resource, one request after the other, until it is stopped. */
export function startProbing(urls: readonly string[], token: string): { stop(): Promise<ProbingResult> } {
  const latenciesMs: number[] = [];
  let [refused, longestRefusalMs] = [0, 0];
  const stopping = new AbortController();

  async function probe(url: string): Promise<void> {
    const client = createClient(url);
    let refusedSinceMs: number | null = null;
    while (!stopping.signal.aborted) {
      const fromMs = performance.now();
      const isRefused = (await client.statusOf(token)) !== 200;
      const nowMs = performance.now();
      latenciesMs.push(nowMs - fromMs);
      if (isRefused) refused += 1;
      if (isRefused) refusedSinceMs ??= nowMs;
      if (refusedSinceMs !== null) longestRefusalMs = Math.max(longestRefusalMs, nowMs - refusedSinceMs);
      if (!isRefused) refusedSinceMs = null;
      await delay(everyMs);
    }
  }

  const probes = urls.map(probe);
  return {
    async stop() {
      stopping.abort();
      await Promise.all(probes);
      const ordered = latenciesMs.toSorted((a, b) => a - b);
      const at = (quantile: number) =>
        Math.round(
          (ordered[Math.min(ordered.length - 1, Math.floor(quantile * ordered.length))] ?? 0) * 100,
        ) / 100;
      return {
        answered: ordered.length - refused,
        refused,
        longest_refusal_ms: Math.round(longestRefusalMs),
        p50_ms: at(0.5),
        p99_ms: at(0.99),
        max_ms: at(1),
      };
    },
  };
}
