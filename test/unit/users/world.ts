import type { SignInOutcome } from "../../../api/audit/sign-ins.ts";
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
import type { AuditRequest } from "../../../shared/audit/audit.ts";
import { createGuardAdministrators } from "../../../shared/holds/guard-administrators.ts";
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
  const database = createInProcessDatabaseServer(platform).connect();
  const hooks = createHooks();
  const users = hooks.around(database.users);
  const sessions = hooks.around(database.sessions);
  const clients = hooks.around(database.clients);
  const published: OutboxEntry[] = [];
  const recorded: AuditRequest[] = [];
  const signIns: SignInOutcome[] = [];
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
    guardAdministrators: createGuardAdministrators({ ...platform, users, safeguards: database.safeguards }),
    audit: { record: (request: AuditRequest) => void recorded.push(request) },
    noteSignIn: (outcome: SignInOutcome) => void signIns.push(outcome),
  };
  const createUser = createCreateUser(deps);
  return {
    platform,
    database,
    deps,
    clients,
    hooks,
    published,
    recorded,
    signIns,
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
