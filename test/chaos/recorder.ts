import { createWriteStream } from "node:fs";
import { finished } from "node:stream/promises";
import type { LogEntry } from "./log-entry.ts";

export interface Recorder {
  readonly file: string;
  /** Does nothing once it is closed: after an interruption some calls still come back. */
  note(entry: LogEntry): void;
  close(): Promise<void>;
}

/** Writes each operation on a line of its own, in the order in which they ended. */
export function createRecorder(file: string): Recorder {
  const stream = createWriteStream(file);
  let isClosed = false;
  return {
    file,
    note(entry) {
      if (!isClosed) stream.write(`${JSON.stringify(entry)}\n`);
    },
    async close() {
      isClosed = true;
      stream.end();
      await finished(stream);
    },
  };
}
