import { AppError, dependencyUnavailable } from "../errors.ts";
import { createPlatform } from "../platform.ts";
import type { Database } from "../ports/database.ts";
import type { Platform } from "../ports/platform.ts";
import { InProcessAudit } from "./audit.ts";
import { InProcessClients } from "./clients.ts";
import { InProcessIdempotency } from "./idempotency.ts";
import { InProcessLedger } from "./ledger.ts";
import { InProcessSafeguards } from "./safeguards.ts";
import { InProcessSessions } from "./sessions.ts";
import { TokenTable } from "./tokens.ts";
import { InProcessUsers } from "./users.ts";

/** One database in this process, with as many connections as are wanted. */
export interface InProcessDatabaseServer {
  connect(): Database;
  /** While not available every call is refused. */
  setAvailable(isAvailable: boolean): void;
}

/** Counts by the clock that it is given, as a server does by its own; the machine's unless given. */
export function createInProcessDatabaseServer(
  { clock }: Pick<Platform, "clock"> = createPlatform(),
): InProcessDatabaseServer {
  const tokens = new TokenTable();
  const tables = {
    users: new InProcessUsers(),
    sessions: new InProcessSessions(tokens),
    ledger: new InProcessLedger(tokens),
    idempotency: new InProcessIdempotency(),
    safeguards: new InProcessSafeguards(clock),
    audit: new InProcessAudit(),
    clients: new InProcessClients(),
  };
  let isAvailable = true;

  const check = () => {
    if (!isAvailable) throw dependencyUnavailable("mongodb", new Error("the database is switched off"));
  };
  const ping = () =>
    Promise.resolve()
      .then(check)
      .then(
        () => true,
        (error: unknown) => {
          if (error instanceof AppError) return false;
          throw error;
        },
      );

  return {
    connect: () => ({
      users: { ...asPort(tables.users, check), ping },
      sessions: asPort(tables.sessions, check),
      audit: asPort(tables.audit, check),
      ledger: { ...asPort(tables.ledger, check), ping },
      idempotency: asPort(tables.idempotency, check),
      safeguards: asPort(tables.safeguards, check),
      clients: asPort(tables.clients, check),
      migrate: async () => {
        await Promise.resolve();
        check();
      },
      ping,
      close: () => Promise.resolve(),
    }),
    setAvailable(available) {
      isAvailable = available;
    },
  };
}

type Step = (...args: never[]) => unknown;
type Port<T> = {
  [K in keyof T as T[K] extends Step ? K : never]: T[K] extends (...args: infer A) => infer R
    ? (...args: A) => Promise<R>
    : never;
};

/**
 * Every public method as one atomic step, a turn of the microtask queue away. What goes in and what comes out is
 * copied, so that nobody shares a value with the table.
 */
function asPort<T extends object>(table: T, check: () => void): Port<T> {
  const names = Object.getOwnPropertyNames(Object.getPrototypeOf(table)).filter(
    (name) => name !== "constructor",
  );
  const port = Object.fromEntries(
    names.map((name) => [
      name,
      async (...args: unknown[]) => {
        const given = structuredClone(args);
        await Promise.resolve();
        check();
        const step: unknown = Reflect.get(table, name);
        if (typeof step !== "function") throw new TypeError(`${name} is not a step`);
        return structuredClone<unknown>(Reflect.apply(step, table, given));
      },
    ]),
  );
  return port as Port<T>;
}
