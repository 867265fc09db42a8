import type { EventLog } from "../shared/ports/event-log.ts";
import type { Ledger } from "../shared/ports/ledger.ts";
import type { RevocationStore } from "../shared/ports/revocation-store.ts";
import type { SessionStore } from "../shared/ports/session-store.ts";
import type { UserStore } from "../shared/ports/user-store.ts";

/** What a worker works on. It closes none of them: they are whoever's opened them. */
export interface WorkerParts {
  readonly database: {
    readonly users: UserStore;
    readonly sessions: SessionStore;
    readonly ledger: Ledger;
    migrate(): Promise<void>;
    ping(): Promise<boolean>;
  };
  readonly store: RevocationStore;
  readonly eventLog: EventLog;
}
