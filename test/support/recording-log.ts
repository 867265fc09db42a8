import { createLog, type Log } from "../../shared/log.ts";

/** A log as it is written, at the most talkative level. */
export function createRecordingLog(): Log & {
  text(): string;
  /** The lines of an event. */
  logged(event: string): readonly string[];
} {
  const lines: string[] = [];
  const log = createLog({
    level: "debug",
    name: "test",
    destination: { write: (line) => void lines.push(line) },
  });
  return {
    ...log,
    text: () => lines.join(""),
    logged: (event) => lines.filter((line) => line.includes(`"event":"${event}"`)),
  };
}
