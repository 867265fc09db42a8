import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { parseOptions } from "./options.ts";
import { createRecorder } from "./recorder.ts";
import { renderReport, renderViolations } from "./report.ts";
import { runChaos } from "./run-chaos.ts";
import { runChecker } from "./run-checker.ts";

const options = parseOptions(process.argv);
const log = (line: string) => process.stderr.write(`chaos: ${line}\n`);
const folder = mkdtempSync(path.join(tmpdir(), "quash-chaos-log-"));
try {
  const recorder = createRecorder(options.log ?? path.join(folder, "log.jsonl"));
  try {
    await runChaos(options, recorder, log);
  } finally {
    await recorder.close();
  }
  const verdict = await runChecker(recorder.file);
  if (options.json) {
    for (const line of renderViolations(verdict.violations)) log(line);
    const { violations: _, longest_refusal_ms_by_fault: __, ...report } = verdict;
    process.stdout.write(`${JSON.stringify(report)}\n`);
  } else process.stdout.write(`${renderReport(verdict)}\n`);
  if (verdict.violations.length > 0) process.exitCode = 1;
} finally {
  rmSync(folder, { recursive: true });
}
