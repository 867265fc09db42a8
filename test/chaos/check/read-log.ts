import { createReadStream } from "node:fs";
import { createInterface } from "node:readline";
import { type LogEntry, logEntrySchema } from "../log-entry.ts";

/** Throws at the first line that is not an entry. */
export async function readLog(file: string): Promise<LogEntry[]> {
  const entries: LogEntry[] = [];
  for await (const line of createInterface({ input: createReadStream(file) })) {
    entries.push(logEntrySchema.parse(JSON.parse(line)));
  }
  return entries;
}
