import type { PasswordHasher, Platform } from "../shared/ports/platform.ts";
import type { UserStore } from "../shared/ports/user-store.ts";

export interface Person {
  readonly email: string;
  readonly password: string;
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
      await deps.users.create({
        id: deps.ids.uuid(),
        email,
        passwordHash: await deps.hasher.hash(password),
        roles: ["user"],
        externalIds: [],
        createdAtMs: deps.clock.wallMs(),
      });
      return { email, password };
    }),
  );
}
