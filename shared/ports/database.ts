import type { ClientStore } from "./client-store.ts";
import type { Ledger } from "./ledger.ts";
import type { SessionStore } from "./session-store.ts";
import type { UserStore } from "./user-store.ts";

/** The database of one namespace. */
export interface Database {
  readonly users: UserStore;
  readonly sessions: SessionStore;
  readonly ledger: Ledger;
  readonly clients: ClientStore;
  /** Creates the indexes. Idempotent; safe from many processes at once. */
  migrate(): Promise<void>;
  ping(): Promise<boolean>;
  close(): Promise<void>;
}
