import { createIssueToken } from "../../../api/tokens/issue-token.ts";
import { createVerifyToken } from "../../../api/tokens/verify-token.ts";
import { createChangeUser } from "../../../api/users/change-user.ts";
import { createCreateUser } from "../../../api/users/create-user.ts";
import { createEndUserSession } from "../../../api/users/end-user-session.ts";
import { createEnsureAdministrator } from "../../../api/users/ensure-administrator.ts";
import { createReadSessions } from "../../../api/users/read-sessions.ts";
import { createReadUsers } from "../../../api/users/read-users.ts";
import { createRefreshSession } from "../../../api/users/refresh-session.ts";
import { createRevokeToken } from "../../../api/users/revoke-token.ts";
import { createSignIn } from "../../../api/users/sign-in.ts";
import { createSignOutSession } from "../../../api/users/sign-out-session.ts";
import { createInProcessDatabaseServer } from "../../../shared/in-process/database.ts";
import type { PasswordHasher } from "../../../shared/ports/platform.ts";
import type { OutboxEntry } from "../../../shared/ports/user-store.ts";
import { pendingRowOfOwnEvent } from "../../../shared/revocation/pending-row.ts";
import { createManualPlatform } from "../../support/manual-clock.ts";
import { audience, issuer, keysOf } from "../tokens/token-builder.ts";
import { createHooks } from "./hooks.ts";

export const alice = { email: "alice@example.com", password: "correct horse" };
export const lifetimeSeconds = 900;
export const refreshLifetimeSeconds = 3600;
export const refreshIdleSeconds = 3600;

const usual = { refreshRetrySeconds: 0, refreshIdleSeconds };

/** The use cases on an in-process database, with a clock that stands still and hooks around every store call. */
export async function createWorld(lifetimes: Partial<typeof usual> = {}) {
  const platform = createManualPlatform();
  const database = createInProcessDatabaseServer().connect();
  const hooks = createHooks();
  const users = hooks.around(database.users);
  const sessions = hooks.around(database.sessions);
  const clients = hooks.around(database.clients);
  const published: OutboxEntry[] = [];
  const verifiedHashes: string[] = [];
  const hasher: PasswordHasher = {
    hash: async (password) => `hash of ${password}`,
    verify: async (hash, password) => {
      verifiedHashes.push(hash);
      return hash === `hash of ${password}`;
    },
  };
  const keys = await keysOf("ES256");
  const issueToken = createIssueToken({ ...platform, keys, issuer, audience, lifetimeSeconds, sessions });
  const prepareTokens = hooks.around({ prepareTokens: async () => undefined }).prepareTokens;
  const publish = (entry: OutboxEntry) => {
    published.push(entry);
    void database.ledger.insertPending([pendingRowOfOwnEvent(entry.event)]);
  };
  const deps = {
    ...platform,
    users,
    sessions,
    ledger: database.ledger,
    hasher,
    issueToken,
    prepareTokens,
    refreshLifetimeSeconds,
    ...usual,
    ...lifetimes,
    nobodysHash: "hash of nobody",
    namespace: "test",
    publish,
  };
  const createUser = createCreateUser(deps);
  return {
    platform,
    database,
    deps,
    clients,
    hooks,
    published,
    verifiedHashes,
    createUser,
    signIn: createSignIn(deps),
    refresh: createRefreshSession(deps),
    signOutSession: createSignOutSession(deps),
    readSessions: createReadSessions(deps),
    endUserSession: createEndUserSession(deps),
    deactivate: createChangeUser(deps, "user.deactivated"),
    signOut: createChangeUser(deps, "user.signed-out"),
    reactivate: createChangeUser(deps, "user.reactivated"),
    remove: createChangeUser(deps, "user.deleted"),
    revokeToken: createRevokeToken(deps),
    readUsers: createReadUsers(deps),
    ensureAdministrator: createEnsureAdministrator({ users, createUser }),
    verify: createVerifyToken({ keys, issuer, audience, clockToleranceSeconds: 5, clock: platform.clock }),
  };
}

export type World = Awaited<ReturnType<typeof createWorld>>;
