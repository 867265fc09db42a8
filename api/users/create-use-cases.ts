import type { UserStore } from "../../shared/ports/user-store.ts";
import { type ChangeUserDeps, createChangeUser } from "./change-user.ts";
import { type ConfirmHoldDeps, createConfirmHold } from "./confirm-hold.ts";
import { type CreateUserDeps, createCreateUser } from "./create-user.ts";
import { createEndUserSession, type EndUserSessionDeps } from "./end-user-session.ts";
import { createEnsureAdministrator } from "./ensure-administrator.ts";
import { createHoldOrChange, type HoldOrChangeDeps } from "./hold-or-change.ts";
import { createReadSessions, type ReadSessionsDeps } from "./read-sessions.ts";
import { createReadUsers } from "./read-users.ts";
import { createRefreshSession, type RefreshSessionDeps } from "./refresh-session.ts";
import { createRevokeToken, type RevokeTokenDeps } from "./revoke-token.ts";
import { createSignIn, type SignInDeps } from "./sign-in.ts";
import { createSignOutSession } from "./sign-out-session.ts";

export type UseCaseDeps = ChangeUserDeps &
  CreateUserDeps &
  EndUserSessionDeps &
  ReadSessionsDeps &
  RefreshSessionDeps &
  RevokeTokenDeps &
  SignInDeps &
  HoldOrChangeDeps &
  ConfirmHoldDeps & { readonly users: UserStore };

/** Everything that callers can do with users, sessions and tokens. */
export function createUseCases(deps: UseCaseDeps) {
  const createUser = createCreateUser(deps);
  return {
    signIn: createSignIn(deps),
    refreshSession: createRefreshSession(deps),
    signOutSession: createSignOutSession(deps),
    readSessions: createReadSessions(deps),
    endUserSession: createEndUserSession(deps),
    createUser,
    ensureAdministrator: createEnsureAdministrator({ users: deps.users, createUser }),
    readUsers: createReadUsers(deps),
    deactivateUser: createHoldOrChange(deps, "user.deactivated", createChangeUser(deps, "user.deactivated")),
    signOutUser: createChangeUser(deps, "user.signed-out"),
    reactivateUser: createChangeUser(deps, "user.reactivated"),
    deleteUser: createHoldOrChange(deps, "user.deleted", createChangeUser(deps, "user.deleted")),
    confirmHold: createConfirmHold(deps),
    revokeToken: createRevokeToken(deps),
  };
}

export type UseCases = ReturnType<typeof createUseCases>;
