import { Command } from "commander";
import { deadLetterReasons } from "../../shared/events/event.ts";
import { createPlatform } from "../../shared/platform.ts";
import type { EventLog } from "../../shared/ports/event-log.ts";
import { CommandFault } from "../command-fault.ts";
import { confirm } from "./confirm.ts";
import { drop, planDrop } from "./drop.ts";
import { list, tableOf } from "./list.ts";
import type { ListedLetter } from "./read-letters.ts";
import { leftAloneLines, planReplay, replay } from "./replay.ts";
import { parseId, parseMoment, parseReason, type Selection } from "./selection.ts";
import { show } from "./show.ts";
import { withEventLog } from "./with-event-log.ts";

interface Filters {
  readonly reason?: readonly string[];
  readonly since?: string;
  readonly until?: string;
  readonly subject?: string;
}

const shownOnTerminalBytes = 4096;
const platform = createPlatform();
const program = new Command("dead-letters")
  .description("Events that came to nothing: what they are, and what is to become of them.")
  .addHelpText(
    "after",
    "\nNeeds KAFKA_BROKERS, and NAMESPACE and the other KAFKA_ settings as the workers have.",
  );

selecting("list", "list them, the oldest first")
  .option("--json", "one JSON object a line")
  .option("--all", "also those that were dropped")
  .action((options: Filters & { json?: true; all?: true }) =>
    run(async (eventLog) => {
      const shown = { asJson: options.json === true, withDropped: options.all === true };
      print(await list(eventLog, selectionOf(options), shown));
    }),
  );

program
  .command("show")
  .description("print the key, the headers and the value of one")
  .argument("<id>", "partition:offset")
  .option("--full", `on a terminal, too, a value of more than ${shownOnTerminalBytes} bytes as a whole`)
  .action((id: string, { full }: { full?: true }) =>
    run(async (eventLog) => {
      const isCut = process.stdout.isTTY && full !== true;
      const valueBytes = isCut ? shownOnTerminalBytes : Infinity;
      print(await show(eventLog, parseId(id), { valueBytes }));
    }),
  );

selecting("replay", "publish them again as they came; without --yes only say which")
  .argument("[id...]", "partition:offset; without any, all that the filters allow")
  .option("--yes", "do it")
  .action((ids: string[], options: Filters & { yes?: true }) =>
    run(async (eventLog) => {
      const plan = await planReplay(eventLog, selectionOf(options, ids));
      const { replayed } = plan;
      if (options.yes === true) await replay({ eventLog, clock: platform.clock }, plan);
      print(replayed.length > 0 ? tableOf(replayed) : []);
      print(leftAloneLines(plan));
      if (replayed.length === 0) {
        if (ids.length > 0 && options.yes === true) throw new CommandFault("nothing to replay");
        print(["nothing to replay"]);
      } else if (options.yes === true) print([`${replayed.length} replayed`]);
      else print([`${replayed.length} to be replayed; nothing was done: add --yes`]);
    }),
  );

selecting("drop", "hide them from list and replay, for good; asks first")
  .argument("[id...]", "partition:offset")
  .option("--all", "every one, without an id or a filter")
  .option("--yes", "do not ask")
  .action((ids: string[], options: Filters & { all?: true; yes?: true }) =>
    run(async (eventLog) => {
      const selection = selectionOf(options, ids);
      if (Object.keys(selection).length === 0 && options.all !== true) {
        throw new CommandFault("say which: ids, a filter, or --all");
      }
      const plan = await planDrop(eventLog, selection);
      const { dropped, before } = plan;
      if (ids.length > 0) print(before.map(({ id }) => `${id} was dropped before`));
      if (dropped.length === 0) return print(["no dead letters to drop"]);
      if (!(options.yes === true || (await confirmDrop(dropped)))) {
        throw new CommandFault("nothing was dropped: answer yes on a terminal, or add --yes");
      }
      await drop({ eventLog, clock: platform.clock }, plan);
      print([`${dropped.length} dropped`]);
    }),
  );

process.stdout.on("error", (error) => {
  if (!("code" in error) || error.code !== "EPIPE") throw error; // whoever reads has seen enough
});
await program.parseAsync();

function selecting(name: string, description: string): Command {
  return program
    .command(name)
    .description(description)
    .option(
      "--reason <reason>",
      `only of that reason, may be repeated: ${deadLetterReasons.join(", ")}`,
      append,
    )
    .option("--since <time>", "set aside since then: 2026-01-31T12:00:00Z, or 90s, 30m, 2h, 7d ago")
    .option("--until <time>", "set aside until then")
    .option("--subject <subject>", "only about that subject; the key counts where none can be read");
}

function append(given: string, before: readonly string[] = []): readonly string[] {
  return [...before, given];
}

function selectionOf({ reason, since, until, subject }: Filters, ids: readonly string[] = []): Selection {
  const nowMs = platform.clock.wallMs();
  return {
    ...(ids.length > 0 && { ids: ids.map(parseId) }),
    ...(reason !== undefined && { reasons: reason.map(parseReason) }),
    ...(since !== undefined && { sinceMs: parseMoment(since, nowMs, "--since") }),
    ...(until !== undefined && { untilMs: parseMoment(until, nowMs, "--until") }),
    ...(subject !== undefined && { subject }),
  };
}

function confirmDrop(letters: readonly ListedLetter[]): Promise<boolean> {
  print(tableOf(letters));
  return confirm(`Drop ${letters.length} for good?`, { input: process.stdin, output: process.stdout });
}

function print(lines: readonly string[]): void {
  for (const line of lines) process.stdout.write(`${line}\n`);
}

function run(command: (eventLog: EventLog) => Promise<void>): Promise<void> {
  return withEventLog({ process, environment: process.env, platform }, command);
}
