export interface TestResults {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
  readonly skippedSuites: readonly string[];
}

/** Of a whole run, unless QUASH_TEST_DEADLINE_MS says otherwise. */
export function runDeadlineMs(environment: NodeJS.ProcessEnv): number {
  return Number(environment["QUASH_TEST_DEADLINE_MS"] || 18 * 60_000);
}

/** The last line of every test run; machines read it. */
export function summaryLine({ passed, failed, skipped }: TestResults): string {
  return `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ""}`;
}
