import type { EventLog, LoggedRecord } from "../../shared/ports/event-log.ts";
import { CommandFault } from "./command-fault.ts";
import { idOf, readLetter } from "./letter.ts";
import { printable, printableLines } from "./printable.ts";

/** The lines to print: key, headers and value of one dead letter. */
export async function show(eventLog: Pick<EventLog, "readAll">, id: string): Promise<string[]> {
  const found: LoggedRecord[] = [];
  await eventLog.readAll("dead-letters", async (records) => {
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
    ...(record.value === null ? ["  (none)"] : indented(record.value)),
  ];
}

function headerLines({ headers }: LoggedRecord): string[] {
  return Object.entries(headers).flatMap(([name, sent]) => {
    const values = sent === undefined ? [] : sent instanceof Uint8Array ? [sent] : sent;
    if (values.length === 0) return [`  ${printable(name)}: (none)`];
    return values.map((value) => `  ${printable(name)}: ${printableLines(value).join("\\n")}`);
  });
}

/** Indented, so that no value can pass for a header. */
function indented(value: Uint8Array): string[] {
  return printableLines(value).map((line) => `  ${line}`);
}
