import type { EventLog, LoggedRecord } from "../../shared/ports/event-log.ts";
import { CommandFault } from "../command-fault.ts";
import { idOf, readLetter } from "./letter.ts";
import { printable, printableLines } from "./printable.ts";
import { readTopic } from "./read-topic.ts";

export interface ShowOptions {
  /** What is longer is cut. */
  readonly valueBytes: number;
}

/** The lines to print: key, headers and value of one dead letter. */
export async function show(
  eventLog: Pick<EventLog, "readAll">,
  id: string,
  { valueBytes }: ShowOptions,
): Promise<string[]> {
  const found: LoggedRecord[] = [];
  await readTopic(eventLog, async (records) => {
    found.push(...records.filter((record) => idOf(record) === id && readLetter(record) !== null));
  });
  const [record] = found;
  if (record === undefined) throw new CommandFault(`there is no dead letter ${id}`);
  return [
    `id     ${id}`,
    `key    ${record.key === null ? "(none)" : printableLines(record.key).join("\\n")}`,
    "headers",
    ...headerLines(record),
    "value",
    ...(record.value === null ? ["  (none)"] : valueLines(record.value, valueBytes)),
  ];
}

function headerLines({ headers }: LoggedRecord): string[] {
  return Object.entries(headers).flatMap(([name, sent]) => {
    const values = sent === undefined ? [] : sent instanceof Uint8Array ? [sent] : sent;
    if (values.length === 0) return [`  ${printable(name)}: (none)`];
    return values.map((value) => `  ${printable(name)}: ${printableLines(value).join("\\n")}`);
  });
}

/** The note is not indented, so that no value can pass for one. */
function valueLines(value: Uint8Array, limitBytes: number): string[] {
  if (value.byteLength <= limitBytes) return indented(value);
  const shown = value.subarray(0, endOfCharacter(value, limitBytes));
  return [
    ...indented(shown),
    `cut: the first ${shown.byteLength} of ${value.byteLength} bytes; --full prints all`,
  ];
}

/** The last place up to `at` where no character of UTF-8 is cut in two. */
function endOfCharacter(value: Uint8Array, at: number): number {
  const ends = [at, at - 1, at - 2, at - 3];
  return ends.find((end) => ((value[end] ?? 0) & 0xc0) !== 0x80) ?? at;
}

/** Indented, so that no value can pass for a header. */
function indented(value: Uint8Array): string[] {
  return printableLines(value).map((line) => `  ${line}`);
}
