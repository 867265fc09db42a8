import { writeFileSync } from "node:fs";
import mocha from "mocha";
import type { TestResults } from "./test-results.ts";
import { runDeadlineMs, summaryLine } from "./test-results.ts";

/**
 * Mocha's own report, the suites that took longest, then as the very last line `N passed, N failed`. With QUASH_TEST_RESULTS_FILE the figures go
 * there instead, for the one who prints that line.
 *
 * Mocha is run without `exit`, so whatever a suite forgot to close keeps the process alive. That is told apart from a
 * clean end here: after a grace period, or at the deadline of the whole run, what is still open is named, the run
 * counts as failed, and the process ends.
 */
// oxlint-disable-next-line import/no-default-export -- mocha takes a reporter file by its default export
export default class SummaryReporter extends mocha.reporters.Spec {
  readonly #failures: string[] = [];
  readonly #skipped = new Set<string>();
  readonly #suiteSeconds: [title: string, seconds: number][] = [];
  #suiteBeganAt = 0;
  #current = "";
  #written = false;

  constructor(runner: Mocha.Runner, options: Mocha.MochaOptions) {
    super(runner, options);
    const { EVENT_RUN_END, EVENT_SUITE_BEGIN, EVENT_SUITE_END, EVENT_TEST_BEGIN, EVENT_TEST_PENDING } =
      mocha.Runner.constants;
    const deadlineMs = runDeadlineMs(process.env);
    const leakGraceMs = Number(process.env["QUASH_TEST_LEAK_GRACE_MS"] || 5000);
    const deadline = setTimeout(() => {
      this.#abort(`the run has not ended within ${deadlineMs} ms; it was at: ${this.#current}`);
    }, deadlineMs).unref();
    runner.on(EVENT_TEST_BEGIN, (test) => {
      this.#current = test.fullTitle();
    });
    runner.on(EVENT_TEST_PENDING, (test) => this.#skipped.add(test.parent?.fullTitle() || test.title));
    runner.on(EVENT_SUITE_BEGIN, (suite) => {
      if (suite.parent?.root) this.#suiteBeganAt = performance.now();
    });
    runner.on(EVENT_SUITE_END, (suite) => {
      if (suite.parent?.root)
        this.#suiteSeconds.push([suite.title, (performance.now() - this.#suiteBeganAt) / 1000]);
    });
    runner.once(EVENT_RUN_END, () => {
      clearTimeout(deadline);
      this.#printSlowest();
      process.once("exit", () => this.#write());
      setTimeout(() => this.#abort("all tests have ended, but the process does not"), leakGraceMs).unref();
    });
  }

  #printSlowest(): void {
    const slowest = this.#suiteSeconds.toSorted(([, a], [, b]) => b - a).slice(0, 10);
    const lines = slowest.map(([title, seconds]) => `  ${seconds.toFixed(1).padStart(6)} s  ${title}\n`);
    process.stdout.write(`\nThe suites that took longest, with their hooks:\n${lines.join("")}`);
  }

  #abort(problem: string): void {
    const open = process.getActiveResourcesInfo().join(", ");
    this.#failures.push(problem);
    process.stdout.write(`\n${problem}\nstill open: ${open}\n`);
    // Mocha sets the exit code in such a listener too; the last one wins.
    process.once("exit", () => {
      this.#write();
      process.exitCode = 1;
    });
    process.exit(1);
  }

  #write(): void {
    if (this.#written) return;
    this.#written = true;
    const { passes, failures, pending } = this.stats;
    const results: TestResults = {
      passed: passes,
      failed: failures + this.#failures.length,
      skipped: pending,
      skippedSuites: [...this.#skipped],
    };
    const file = process.env["QUASH_TEST_RESULTS_FILE"];
    if (file) writeFileSync(file, JSON.stringify(results));
    else process.stdout.write(`${summaryLine(results)}\n`);
  }
}
