import { AppError } from "../../shared/errors.ts";
import type { UserStore } from "../../shared/ports/user-store.ts";
import type { CreateUser } from "./create-user.ts";
import type { Credentials } from "./sign-in.ts";

export interface EnsureAdministratorDeps {
  readonly users: Pick<UserStore, "hasAdministrator">;
  readonly createUser: CreateUser;
}

/**
 * Makes the first administrator if there is none; whether it did. Of processes that start at once one makes it, since
 * the address is unique. Throws `config-invalid` when the address belongs to somebody else.
 */
export function createEnsureAdministrator({ users, createUser }: EnsureAdministratorDeps) {
  return async function ensureAdministrator(credentials: Credentials): Promise<boolean> {
    if (await users.hasAdministrator()) return false;
    try {
      await createUser({ ...credentials, roles: ["admin", "user"] });
      return true;
    } catch (error) {
      if (!(error instanceof AppError) || error.code !== "email-taken") throw error;
      if (await users.hasAdministrator()) return false;
      throw new AppError(
        "config-invalid",
        "- ADMIN_EMAIL belongs to a user who is no administrator; name another.",
        {
          cause: error,
        },
      );
    }
  };
}

export type EnsureAdministrator = ReturnType<typeof createEnsureAdministrator>;
