import { isRetriable } from "../../shared/errors.ts";
import type { Timers } from "../../shared/ports/platform.ts";
import type { UserStore } from "../../shared/ports/user-store.ts";

const rememberedAtMost = 10_000;
/** A request waits no longer for what it can do without. */
const patienceMs = 250;

export interface EmailOfUserDeps {
  readonly users: Pick<UserStore, "findById">;
  readonly timers: Timers;
}

/**
 * A user's address, which a token does not carry and which never changes: read once, then from memory, so that a
 * request needs no database. Null while the database is away or slow; what comes late is remembered for the next.
 */
export function createEmailOfUser({ users, timers }: EmailOfUserDeps) {
  const remembered = new Map<string, string>();
  const underWay = new Map<string, Promise<string | null>>();

  return async function emailOfUser(userId: string): Promise<string | null> {
    return remembered.get(userId) ?? readInTime(userId);
  };

  async function readInTime(userId: string): Promise<string | null> {
    const inTime = new AbortController();
    const reading = underWay.get(userId) ?? read(userId);
    underWay.set(userId, reading);
    try {
      return await Promise.race([reading, timers.sleep(patienceMs, inTime.signal).then(() => null)]);
    } finally {
      inTime.abort();
    }
  }

  async function read(userId: string): Promise<string | null> {
    try {
      const email = (await users.findById(userId))?.email ?? null;
      if (email !== null) remember(userId, email);
      return email;
    } catch (error) {
      if (isRetriable(error)) return null;
      throw error;
    } finally {
      underWay.delete(userId);
    }
  }

  function remember(userId: string, email: string): void {
    if (remembered.size >= rememberedAtMost) remembered.clear();
    remembered.set(userId, email);
  }
}

export type EmailOfUser = ReturnType<typeof createEmailOfUser>;
