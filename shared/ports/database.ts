import type { AuditStore } from "./audit-store.ts";
import type { ClientStore } from "./client-store.ts";
import type { IdempotencyStore } from "./idempotency-store.ts";
import type { Ledger } from "./ledger.ts";
import type { Safeguards } from "./safeguards.ts";
import type { SessionStore } from "./session-store.ts";
import type { UserStore } from "./user-store.ts";

/** The database of one namespace. */
export interface Database {
  readonly users: UserStore;
  readonly sessions: SessionStore;
  readonly ledger: Ledger;
  readonly idempotency: IdempotencyStore;
  readonly safeguards: Safeguards;
  readonly audit: AuditStore;
  readonly clients: ClientStore;
  /** Creates the indexes. Idempotent; safe from many processes at once. */
  migrate(): Promise<void>;
  ping(): Promise<boolean>;
  close(): Promise<void>;
}
