import { spawn } from "node:child_process";
import { once } from "node:events";
import { z } from "zod";
import type { Verdict } from "./check/check-log.ts";

const numbersByName = z.record(z.string(), z.number());
const verdictSchema: z.ZodType<Verdict> = z.object({
  seed: z.number(),
  seconds: z.number(),
  operations: z.number(),
  faults: numbersByName,
  revoked_probes: z.number(),
  innocent_probes: z.number(),
  timed_events: z.number(),
  accepted_after_bound: z.number(),
  lost_events: z.number(),
  innocents_refused: z.number(),
  longest_refusal_ms: z.number(),
  longest_refusal_ms_by_fault: numbersByName,
  violations: z.array(
    z.object({ invariant: z.enum(["I1", "I1b", "I2", "I4", "I6", "I7", "log"]), detail: z.string() }),
  ),
});

/** The checker is a program of its own, which knows nothing but the log. */
export async function runChecker(logFile: string): Promise<Verdict> {
  const checker = spawn(process.execPath, ["--import", "tsx", "test/chaos/check/main.ts", logFile], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const chunks: Buffer[] = [];
  checker.stdout.on("data", (chunk: Buffer) => chunks.push(chunk));
  await once(checker, "close");
  return verdictSchema.parse(JSON.parse(Buffer.concat(chunks).toString()));
}
