/**
 * How long after its last sync an instance may still accept: its own greatest staleness and a margin, the greater
 * of one second and a fifth of it.
 */
export function boundMs(maxStalenessMs: number): number {
  return maxStalenessMs + Math.max(1_000, maxStalenessMs / 5);
}
