import type { EventLog, TakeRecords } from "../../shared/ports/event-log.ts";
import { CommandFault } from "../command-fault.ts";

/** Answers with the name of the topic. One that is missing is no empty one: the namespace may be another's. */
export async function readTopic(eventLog: Pick<EventLog, "readAll">, take: TakeRecords): Promise<string> {
  const { name, exists } = await eventLog.readAll("dead-letters", take);
  if (!exists) throw new CommandFault(`there is no topic ${name}; is NAMESPACE right?`);
  return name;
}
