import type { Audit } from "../../shared/audit/audit.ts";
import type { ExternalIdentity } from "../../shared/events/event.ts";
import type { Clock, Ids, PasswordHasher } from "../../shared/ports/platform.ts";
import type { Role, User, UserStore } from "../../shared/ports/user-store.ts";
import { parseEmail } from "./email.ts";
import type { Operation } from "./operation.ts";
import { checkPassword } from "./password.ts";

export interface CreateUserDeps {
  readonly users: Pick<UserStore, "create" | "findById">;
  readonly hasher: PasswordHasher;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly audit: Audit;
}

export interface UserRequest {
  readonly email: string;
  readonly password: string;
  /** `["user"]` unless given. */
  readonly roles?: readonly Role[] | undefined;
  readonly externalIds?: readonly ExternalIdentity[] | undefined;
  /** Whose id the user gets; a repeat finds him where he was made before. */
  readonly operation?: Operation | undefined;
  /** Left out for the first administrator. */
  readonly actor?: string | undefined;
  /** Throws where he may not any more. */
  readonly checkAgain?: (() => void) | undefined;
  readonly requestId?: string | undefined;
}

/** Throws `validation-failed`, `email-taken` or `external-identity-taken`. */
export function createCreateUser({ users, hasher, clock, ids, audit }: CreateUserDeps) {
  return async function createUser(request: UserRequest): Promise<User> {
    const email = parseEmail(request.email);
    checkPassword(request.password);
    const { operation } = request;
    const made = operation?.isRepeat ? await users.findById(operation.id) : null;
    if (made !== null && made.status !== "deleted") return made;
    const passwordHash = await hasher.hash(request.password);
    request.checkAgain?.();
    const user = await users.create({
      id: operation?.id ?? ids.uuid(),
      email,
      passwordHash,
      roles: [...new Set<Role>(request.roles ?? ["user"])],
      externalIds: request.externalIds ?? [],
      createdAtMs: clock.wallMs(),
    });
    const { actor, requestId } = request;
    const reason = `roles: ${user.roles.join(", ")}`;
    audit.record({ action: "user.created", actor, subject: user.id, reason, requestId });
    return user;
  };
}

export type CreateUser = ReturnType<typeof createCreateUser>;
