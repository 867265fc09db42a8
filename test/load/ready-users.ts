import { randomUUID } from "node:crypto";
import { createArgon2Hasher } from "../../api/users/password-hasher.ts";
import { silentLog } from "../../shared/log.ts";
import { connectMongo } from "../../shared/mongo/database.ts";
import { createPlatform } from "../../shared/platform.ts";
import type { CreatePeople } from "./people.ts";

const atOnce = 16;

/**
 * Puts users into the database of a system that was started for this run, all with the hash of one password: thousands
 * of them would otherwise cost minutes of hashing before anything is measured.
 */
export function createReadyUsers(mongoUrl: string, namespace: string): CreatePeople {
  return async (people) => {
    const database = await connectMongo({ url: mongoUrl, namespace, log: silentLog, ...createPlatform() });
    try {
      const [first] = people;
      if (first === undefined) return [];
      const passwordHash = await createArgon2Hasher().hash(first.password);
      const users = people.map(({ email }) => ({ id: randomUUID(), email, passwordHash }));
      for (let from = 0; from < users.length; from += atOnce) {
        const rest = { roles: ["user"] as const, externalIds: [], createdAtMs: Date.now() };
        await Promise.all(
          users.slice(from, from + atOnce).map((user) => database.users.create({ ...user, ...rest })),
        );
      }
      return users.map(({ id }) => id);
    } finally {
      await database.close();
    }
  };
}
