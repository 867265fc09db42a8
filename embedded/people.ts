import type { PasswordHasher, Platform } from "../shared/ports/platform.ts";
import type { UserStore } from "../shared/ports/user-store.ts";

export interface Credentials {
  readonly email: string;
  readonly password: string;
}

export interface Person extends Credentials {
  readonly id: string;
}

const users = ["alice@example.com", "bob@example.com"];

/** Nobody keeps these: they end with the process. Without letters that look alike. */
export function inventPassword({ randomness }: Pick<Platform, "randomness">): string {
  const letters = "abcdefghijkmnpqrstuvwxyz23456789";
  return [...randomness.bytes(12)].map((byte) => letters[byte % letters.length]).join("");
}

/** The users whom a newcomer finds. */
export async function createPeople(
  deps: Platform & { readonly users: Pick<UserStore, "create">; readonly hasher: PasswordHasher },
): Promise<Person[]> {
  return Promise.all(
    users.map(async (email) => {
      const password = inventPassword(deps);
      const id = deps.ids.uuid();
      await deps.users.create({
        id,
        email,
        passwordHash: await deps.hasher.hash(password),
        roles: ["user"],
        externalIds: [],
        createdAtMs: deps.clock.wallMs(),
      });
      return { id, email, password };
    }),
  );
}
