import type { ExternalIdentity } from "../../shared/events/event.ts";
import type { Clock, Ids, PasswordHasher } from "../../shared/ports/platform.ts";
import type { Role, User, UserStore } from "../../shared/ports/user-store.ts";
import { parseEmail } from "./email.ts";
import { checkPassword } from "./password.ts";

export interface CreateUserDeps {
  readonly users: Pick<UserStore, "create">;
  readonly hasher: PasswordHasher;
  readonly clock: Clock;
  readonly ids: Ids;
}

export interface UserRequest {
  readonly email: string;
  readonly password: string;
  /** `["user"]` unless given. */
  readonly roles?: readonly Role[] | undefined;
  readonly externalIds?: readonly ExternalIdentity[] | undefined;
}

/** Throws `validation-failed`, `email-taken` or `external-identity-taken`. */
export function createCreateUser({ users, hasher, clock, ids }: CreateUserDeps) {
  return async function createUser(request: UserRequest): Promise<User> {
    const email = parseEmail(request.email);
    checkPassword(request.password);
    return users.create({
      id: ids.uuid(),
      email,
      passwordHash: await hasher.hash(request.password),
      roles: [...new Set<Role>(request.roles ?? ["user"])],
      externalIds: request.externalIds ?? [],
      createdAtMs: clock.wallMs(),
    });
  };
}

export type CreateUser = ReturnType<typeof createCreateUser>;
