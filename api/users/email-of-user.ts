import { isRetriable } from "../../shared/errors.ts";
import type { UserStore } from "../../shared/ports/user-store.ts";

const rememberedAtMost = 10_000;

/**
 * A user's address, which a token does not carry and which never changes: read once, then from memory, so that a
 * request needs no database. Null while the database is away.
 */
export function createEmailOfUser(users: Pick<UserStore, "findById">) {
  const remembered = new Map<string, string>();

  return async function emailOfUser(userId: string): Promise<string | null> {
    const known = remembered.get(userId);
    if (known !== undefined) return known;
    const email = await read(userId);
    if (email === null) return null;
    if (remembered.size >= rememberedAtMost) remembered.clear();
    remembered.set(userId, email);
    return email;
  };

  async function read(userId: string): Promise<string | null> {
    try {
      return (await users.findById(userId))?.email ?? null;
    } catch (error) {
      if (isRetriable(error)) return null;
      throw error;
    }
  }
}

export type EmailOfUser = ReturnType<typeof createEmailOfUser>;
