import { randomInt } from "node:crypto";
import { Command, Option } from "commander";
import { z } from "zod";
import { runEventDoor } from "./event-door.ts";

const command = new Command("fuzz")
  .description(
    "Sends events that are nearly right over HTTP and into the log, and checks what became of each.",
  )
  .addOption(new Option("--door <door>", "which door").choices(["event"]).default("event"))
  .option("--seconds <s>", "how long", "60")
  .option("--seed <s>", "where chance begins; another one each time unless given")
  .option("--json", "one object on the last line")
  .parse(process.argv);
const options = z
  .object({
    seconds: z.coerce.number().int().min(1).max(86_400),
    seed: z.coerce
      .number()
      .int()
      .nonnegative()
      .default(() => randomInt(1_000_000)),
    json: z.boolean().default(false),
  })
  .safeParse(command.opts());

if (!options.success) {
  process.stderr.write(`error: ${z.prettifyError(options.error)}\n`);
  process.exitCode = 1;
} else {
  const { seconds, seed, json } = options.data;
  process.stderr.write(`seed ${seed}\n`);
  const report = await runEventDoor({
    seconds,
    seed,
    onProgress: (line) => void process.stderr.write(`${line}\n`),
  });
  const { http, log } = report.inputs;
  const ends = `${report.applied} applied, ${report.duplicates} duplicates, ${report.dead_letters} dead letters, ${report.refused} refused`;
  process.stdout.write(
    json
      ? `${JSON.stringify(report)}\n`
      : `${http} events over HTTP, ${log} in the log: ${ends}; ${report.findings.length} findings\n`,
  );
  for (const finding of report.findings) process.stderr.write(`${finding}\n`);
  if (report.findings.length > 0) process.exitCode = 1;
}
