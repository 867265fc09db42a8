import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { type ChaosOptions, parseOptions } from "./options.ts";
import { createRecorder } from "./recorder.ts";
import { renderReport, renderViolations } from "./report.ts";
import { runChaos } from "./run-chaos.ts";
import { runChecker } from "./run-checker.ts";
import { runMutated } from "./run-mutated.ts";

const options = parseOptions(process.argv);
const log = (line: string) => process.stderr.write(`chaos: ${line}\n`);
const interruption = new AbortController();
// Ctrl-C reaches us twice through npm; closing is the same for each.
for (const name of ["SIGINT", "SIGTERM"] as const) process.on(name, () => interruption.abort());
const isKept = options.mutated ? await showMutations(options) : await show(options);
if (!isKept) process.exitCode = 1;

async function show({ json, ...options }: ChaosOptions): Promise<boolean> {
  const logFolder = mkdtempSync(path.join(tmpdir(), "quash-chaos-log-"));
  const logFile = options.log ?? path.join(logFolder, "log.jsonl");
  const recorder = createRecorder(logFile);
  try {
    await runChaos(options, { recorder, log, logFolder, signal: interruption.signal });
  } catch (error) {
    log(`broke off; the logs of all processes: ${logFolder}`);
    throw error;
  } finally {
    await recorder.close();
  }
  const verdict = await runChecker(logFile);
  const { violations, longest_refusal_ms_by_fault: _, ...report } = verdict;
  const isKept = violations.length === 0;
  if (isKept) rmSync(logFolder, { recursive: true });
  else log(`what was seen, and the logs of all processes: ${logFolder}`);
  if (json) for (const line of renderViolations(violations)) log(line);
  process.stdout.write(`${json ? JSON.stringify(report) : renderReport(verdict)}\n`);
  return isKept;
}

async function showMutations({ json }: ChaosOptions): Promise<boolean> {
  const results = await runMutated(log);
  const lines = results.map(
    ({ mutation, program, exitCode, found }) =>
      `${mutation}: ${program} ended with ${exitCode}, ${found ? "found" : "NOT FOUND"}`,
  );
  process.stdout.write(`${json ? JSON.stringify({ mutations: results }) : lines.join("\n")}\n`);
  return results.every(({ found }) => found);
}
