import { AppError } from "../../shared/errors.ts";
import type { UserStore } from "../../shared/ports/user-store.ts";
import type { CreateUser } from "./create-user.ts";
import { normaliseEmail } from "./email.ts";
import type { Credentials } from "./sign-in.ts";

export interface EnsureAdministratorDeps {
  readonly users: Pick<UserStore, "hasAdministrator" | "findByEmail">;
  readonly createUser: CreateUser;
}

/**
 * Makes the first administrator if there is none; whether it did. Of processes that start at once one makes it, since
 * the address is unique. One who was deactivated is left as he is. Throws `config-invalid` when the address belongs to
 * somebody else.
 */
export function createEnsureAdministrator({ users, createUser }: EnsureAdministratorDeps) {
  return async function ensureAdministrator(credentials: Credentials): Promise<boolean> {
    if (await users.hasAdministrator()) return false;
    try {
      await createUser({ ...credentials, roles: ["admin", "user"] });
      return true;
    } catch (error) {
      if (!(error instanceof AppError) || error.code !== "email-taken") throw error;
      if (await isHis(credentials.email)) return false;
      throw new AppError(
        "config-invalid",
        "- ADMIN_EMAIL belongs to a user who is no administrator; name another.",
        { cause: error },
      );
    }
  };

  /** Made by another process meanwhile, or an administrator who was deactivated: none of that keeps a fleet from starting. */
  async function isHis(email: string): Promise<boolean> {
    const holder = await users.findByEmail(normaliseEmail(email));
    return holder?.roles.includes("admin") ?? false;
  }
}

export type EnsureAdministrator = ReturnType<typeof createEnsureAdministrator>;
