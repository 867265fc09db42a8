import type { InProcessDatabaseServer } from "../../shared/in-process/database.ts";
import type { Database } from "../../shared/ports/database.ts";
import { EffectObserver, type EffectObserverDeps } from "./effect-observer.ts";
import type { Link } from "./link.ts";
import { type OnEffect, overLink } from "./linked-port.ts";

export interface ObservedDatabaseOptions extends Omit<EffectObserverDeps, "direct"> {
  /** Told of everything that has an effect, whatever it is. */
  readonly onEffect: OnEffect;
}

/** The database as one process reaches it, with an eye on what the writes do. */
export function connectDatabase(
  server: InProcessDatabaseServer,
  link: Link,
  { onEffect, ...deps }: ObservedDatabaseOptions,
): Database {
  const direct = server.connect();
  const observer = new EffectObserver({ ...deps, direct });
  const over = <T extends object>(port: T, observe: OnEffect): T =>
    overLink(port, link, {
      onEffect: async (method, args, result) => {
        await onEffect(method, args, result);
        await observe(method, args, result);
      },
    });
  return {
    users: over(direct.users, (method, args, result) => observer.onUsers(method, args, result)),
    sessions: over(direct.sessions, (method, args) => observer.onSessions(method, args)),
    ledger: over(direct.ledger, (method, args, result) => observer.onLedger(method, args, result)),
    idempotency: overLink(direct.idempotency, link, { onEffect }),
    safeguards: overLink(direct.safeguards, link),
    audit: overLink(direct.audit, link, {}),
    clients: overLink(direct.clients, link, { onEffect }),
    migrate: () => link.call(() => direct.migrate()),
    ping: () => link.call(() => direct.ping()).catch(() => false),
    close: () => Promise.resolve(),
  };
}
