import type { Database } from "../shared/ports/database.ts";
import type { EventLog } from "../shared/ports/event-log.ts";
import type { RevocationStore } from "../shared/ports/revocation-store.ts";

/** What a worker works on. It closes none of them: they are whoever's opened them. */
export interface WorkerParts {
  readonly database: Omit<Database, "close">;
  readonly store: RevocationStore;
  readonly eventLog: EventLog;
}
