import { checkLog } from "./check-log.ts";
import { readLog } from "./read-log.ts";

const [file] = process.argv.slice(2);
if (file === undefined) {
  process.stderr.write("usage: node --import tsx test/chaos/check/main.ts <log file>\n");
  process.exitCode = 2;
} else {
  const verdict = checkLog(await readLog(file));
  process.stdout.write(`${JSON.stringify(verdict)}\n`);
  if (verdict.violations.length > 0) process.exitCode = 1;
}
