import { readFileSync } from "node:fs";
import { Command } from "commander";
import { verifyAudit } from "../../shared/audit/verify-audit.ts";
import { AppError, isRetriable } from "../../shared/errors.ts";
import { silentLog } from "../../shared/log.ts";
import { createPlatform } from "../../shared/platform.ts";
import { orReportInvalid } from "../../shared/settings.ts";
import { CommandFault } from "../command-fault.ts";
import { parseKnown } from "./known.ts";
import { jsonOf, linesOf } from "./lines.ts";
import { loadAuditSettings } from "./settings.ts";

/** Not 1, which says that something was found. */
const faultExitCode = 2;
const dayMs = 86_400_000;

const program = new Command("audit").description("The audit: what was decided, by whom, and why.");

program
  .command("verify")
  .description("whether a record was changed, inserted or taken out, and which")
  .option("--known <values...>", "what an earlier verify printed, kept outside the database")
  .option("--json", "print one JSON object")
  .addHelpText(
    "after",
    "\nNeeds MONGO_URL, and NAMESPACE and AUDIT_RETENTION_DAYS as the workers have them." +
      "\nExits with 0 when all is whole, 1 when something was found, 2 when it cannot be told.",
  )
  .action(async ({ known, json }: { known?: string[]; json?: boolean }) => {
    try {
      await verify(known ?? [], json ?? false);
    } catch (error) {
      process.stderr.write(`error: ${lineOf(error)}\n`);
      process.exitCode = faultExitCode;
    }
  });

await program.parseAsync();

async function verify(texts: readonly string[], isJson: boolean): Promise<void> {
  const known = parseKnown(texts);
  const source = { environment: process.env, readFile: (path: string) => readFileSync(path, "utf8") };
  const settings = await orReportInvalid(process, () => Promise.resolve(loadAuditSettings(source)));
  if (settings === null) return;
  const { connectMongo } = await import("../../shared/mongo/database.ts");
  const options = {
    url: settings.MONGO_URL,
    namespace: settings.NAMESPACE,
    log: silentLog,
    ...createPlatform(),
  };
  const database = await connectMongo(options);
  try {
    const verification = await verifyAudit(database.audit, {
      known,
      nowMs: options.clock.wallMs(),
      retentionMs: settings.AUDIT_RETENTION_DAYS * dayMs,
    });
    const lines = isJson ? [jsonOf(verification)] : linesOf(verification);
    for (const line of lines) process.stdout.write(`${line}\n`);
    if (verification.findings.length > 0) process.exitCode = 1;
  } finally {
    await database.close();
  }
}

function lineOf(error: unknown): string {
  if (error instanceof CommandFault) return error.message;
  if (!(error instanceof AppError) || !isRetriable(error)) throw error;
  const why = error.cause instanceof Error ? `: ${error.cause.message}` : "";
  return `${error.message}${why}`;
}
