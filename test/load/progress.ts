/** Says about every five seconds how far the measuring is. */
export function startProgress(
  log: (line: string) => void,
  { seconds, countersOf }: { seconds: number; countersOf: () => string },
): { stop(): void } {
  const startedAt = performance.now();
  const timer = setInterval(() => {
    const passed = Math.round((performance.now() - startedAt) / 1_000);
    log(`${Math.min(passed, seconds)} of ${seconds} s: ${countersOf()}`);
  }, 5_000);
  return { stop: () => clearInterval(timer) };
}
