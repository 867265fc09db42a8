import type { Database } from "./database.ts";
import type { EventLog } from "./event-log.ts";
import type { RevocationStore } from "./revocation-store.ts";

/** The three engines. Whoever opened them closes them. */
export interface Parts {
  readonly database: Database;
  readonly store: RevocationStore;
  readonly eventLog: EventLog;
}
