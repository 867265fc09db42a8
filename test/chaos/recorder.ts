import { createWriteStream } from "node:fs";
import { finished } from "node:stream/promises";
import type { LogEntry } from "./log-entry.ts";

export interface Recorder {
  readonly file: string;
  note(entry: LogEntry): void;
  close(): Promise<void>;
}

/** Writes each operation on a line of its own, in the order in which they ended. */
export function createRecorder(file: string): Recorder {
  const stream = createWriteStream(file);
  return {
    file,
    note: (entry) => void stream.write(`${JSON.stringify(entry)}\n`),
    async close() {
      stream.end();
      await finished(stream);
    },
  };
}
