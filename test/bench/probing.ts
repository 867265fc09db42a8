import { setTimeout as delay } from "node:timers/promises";
import { createClient } from "../support/client.ts";

export interface ProbingResult {
  readonly requests: number;
  readonly refused: number;
  readonly p50_ms: number;
  readonly p99_ms: number;
  readonly max_ms: number;
}

const everyMs = 20;

/** Asks each instance for the same protected resource, one request after the other, until it is stopped. */
export function startProbing(urls: readonly string[], token: string): { stop(): Promise<ProbingResult> } {
  const latenciesMs: number[] = [];
  let refused = 0;
  const stopping = new AbortController();

  async function probe(url: string): Promise<void> {
    const client = createClient(url);
    while (!stopping.signal.aborted) {
      const fromMs = performance.now();
      if ((await client.statusOf(token)) !== 200) refused += 1;
      latenciesMs.push(performance.now() - fromMs);
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
      return { requests: ordered.length, refused, p50_ms: at(0.5), p99_ms: at(0.99), max_ms: at(1) };
    },
  };
}
