import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { findServices } from "./services/find-services.ts";
import type { UsedServices } from "./services/start-services.ts";
import { runDeadlineMs, summaryLine, type TestResults } from "./support/test-results.ts";

const deadlineMs = runDeadlineMs(process.env);
const servicesRequired = process.env["REQUIRE_SERVICES"] === "1";

process.exitCode = await testEverything(process.argv.slice(2));

/** Type check, lint, then all suites or the given files; the services start meanwhile. Returns the exit code. */
async function testEverything(mochaArgs: readonly string[]): Promise<number> {
  const servicesFound = findOrExplain();
  const checks = { typecheck: await runCheck("typecheck"), lint: await runCheck("lint") };
  const services = await servicesFound;
  const suites = await runSuites(mochaArgs, typeof services === "string" ? undefined : services);
  if (typeof services !== "string") await services.release();
  const failedChecks = Object.entries(checks).filter(([, isPassed]) => !isPassed);
  const failedToFind = servicesRequired && typeof services === "string" ? 1 : 0;
  const total = {
    ...suites,
    passed: suites.passed + Object.keys(checks).length - failedChecks.length,
    failed: suites.failed + failedChecks.length + failedToFind,
  };
  reportSkipped(total, typeof services === "string" ? services : undefined);
  for (const [name] of failedChecks) process.stdout.write(`failed: ${name}\n`);
  process.stdout.write(`${summaryLine(total)}\n`);
  return total.failed > 0 ? 1 : 0;
}

/** The services, or why there are none. */
async function findOrExplain(): Promise<UsedServices | string> {
  if (process.env["QUASH_TEST_WITHOUT_SERVICES"] === "1") return "QUASH_TEST_WITHOUT_SERVICES=1";
  try {
    return await findServices(process.env);
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

async function runCheck(script: string): Promise<boolean> {
  process.stdout.write(`\n== ${script}\n`);
  const { code } = await ended(spawn("npm", ["run", "--silent", script], { stdio: "inherit" }));
  if (code !== 0) process.stdout.write(`== ${script} failed\n`);
  return code === 0;
}

async function runSuites(args: readonly string[], services: UsedServices | undefined): Promise<TestResults> {
  process.stdout.write("\n== suites\n");
  const folder = mkdtempSync(path.join(tmpdir(), "quash-test-"));
  const resultsFile = path.join(folder, "results.json");
  const files = args.length > 0 ? args : ["test/**/*.test.ts"];
  // Its own process group, so that what the suites started can be ended with them.
  const mocha = spawn(process.execPath, ["node_modules/mocha/bin/mocha.js", ...files], {
    detached: true,
    stdio: ["ignore", "inherit", "inherit"],
    env: {
      ...process.env,
      QUASH_TEST_RESULTS_FILE: resultsFile,
      QUASH_TEST_DEADLINE_MS: String(deadlineMs),
      QUASH_TEST_MONGO_URL: services?.mongoUrl ?? "",
      QUASH_TEST_REDIS_URL: services?.redisUrl ?? "",
      QUASH_TEST_KAFKA_BROKERS: services?.kafkaBrokers ?? "",
    },
  });
  const stop = endGroupWith(mocha);
  const { code } = await ended(mocha);
  stop();
  const results = readResults(resultsFile);
  rmSync(folder, { recursive: true, force: true });
  return code !== 0 && results.failed === 0 ? { ...results, failed: 1 } : results;
}

/** Ends the suites at a signal to us and, should their own deadline not work, some time after it. */
function endGroupWith(mocha: ChildProcess): () => void {
  const kill = (signal: NodeJS.Signals) => {
    try {
      if (mocha.pid !== undefined) process.kill(-mocha.pid, signal);
    } catch (error) {
      if (!(error instanceof Error && "code" in error && error.code === "ESRCH")) throw error;
    }
  };
  const pass = (signal: NodeJS.Signals) => kill(signal);
  process.on("SIGINT", pass).on("SIGTERM", pass);
  const overdue = setTimeout(() => kill("SIGKILL"), deadlineMs + 10_000);
  return () => {
    clearTimeout(overdue);
    process.off("SIGINT", pass).off("SIGTERM", pass);
    kill("SIGKILL");
  };
}

function readResults(file: string): TestResults {
  try {
    return JSON.parse(readFileSync(file, "utf8")) as TestResults;
  } catch (error) {
    process.stdout.write(`the suites ended without results: ${String(error)}\n`);
    return { passed: 0, failed: 1, skipped: 0, skippedSuites: [] };
  }
}

function reportSkipped(results: TestResults, noServices: string | undefined): void {
  const suites = results.skippedSuites.map((suite) => `  ${suite}\n`).join("");
  if (suites) process.stdout.write(`\nNot run on this machine:\n${suites}`);
  if (noServices !== undefined) process.stdout.write(`\nNo real services: ${noServices}\n`);
  if (noServices !== undefined && servicesRequired) process.stdout.write("REQUIRE_SERVICES=1 wants them.\n");
  process.stdout.write("\n");
}

async function ended(child: ChildProcess): Promise<{ code: number | null }> {
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("exit", (code) => resolve({ code }));
  });
}
