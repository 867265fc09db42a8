import { createHash } from "node:crypto";
import { type QueryOptions, Schema, trusted } from "mongoose";
import { dependencyUnavailable } from "../errors.ts";
import { type CountedUser, countRecentUsers } from "../holds/recent-users.ts";
import type { Safeguards, UserCount } from "../ports/safeguards.ts";
import type { MongoConnection } from "./connection.ts";
import { repeatIfDuplicate } from "./failures.ts";

interface CountDocument {
  /** Made from the source, which may be long. */
  readonly _id: string;
  readonly source: string;
  /** By the server's clock. */
  readonly countedAt: Date;
  /** Raised by each change of `users`. */
  readonly version: number;
  readonly users: readonly { readonly user: string; readonly at: Date; readonly isWithin: boolean }[];
}

interface GuardDocument {
  readonly _id: string;
  /** Null while nobody is removed. */
  readonly claim: string | null;
  readonly userId?: string;
  readonly beganAt?: Date;
}

const countedUser = new Schema({ user: String, at: Date, isWithin: Boolean }, { _id: false });
const countSchema = new Schema<CountDocument>(
  { _id: String, source: String, countedAt: Date, version: Number, users: [countedUser] },
  { versionKey: false },
);
countSchema.index({ countedAt: 1 }, { name: "counted" });
const guardSchema = new Schema<GuardDocument>(
  { _id: String, claim: String, userId: String, beganAt: Date },
  { versionKey: false },
);

/** Each lost attempt is somebody else's count, and at most a few count for one source at a time. */
const maxAttempts = 50;
const administrators = { _id: "administrators" };

export function createMongoSafeguards({ connection, call }: MongoConnection): Safeguards {
  const counts = connection.model<CountDocument>("DeactivationCount", countSchema, "deactivation_counts");
  const guards = connection.model<GuardDocument>("Guard", guardSchema, "guards");

  /** Two steps: the first learns the server's time. Null when somebody counted in between. */
  async function countOnce({ source, users, most }: UserCount): Promise<readonly boolean[] | null> {
    const only = { _id: digestOf(source) };
    const update = {
      $currentDate: { countedAt: true as const },
      $setOnInsert: { source, version: 0, users: [] },
    };
    const options: QueryOptions<CountDocument> = { upsert: true, returnDocument: "after" };
    const found = await repeatIfDuplicate(() => counts.findOneAndUpdate(only, update, options).lean().exec());
    // A server may answer so to one of two that insert at once.
    if (found === null) return null;
    const { version, countedAt } = found;
    const names = users.map(digestOf);
    const { counted, areWithin } = countRecentUsers(found.users.map(countedOf), {
      users: names,
      most,
      nowMs: countedAt.getTime(),
    });
    const changed = { users: counted.map(documentOf), version: version + 1 };
    const { matchedCount } = await counts.updateOne({ ...only, version }, { $set: changed }).exec();
    return matchedCount === 1 ? areWithin : null;
  }

  return {
    async countUsers(count) {
      for (let attempt = 0; attempt < maxAttempts; attempt += 1) {
        const areWithin = await call(() => countOnce(count));
        if (areWithin !== null) return areWithin;
      }
      throw dependencyUnavailable("mongodb", new Error(`others counted first ${maxAttempts} times`));
    },
    purgeCounts: (idleSinceMs, limit) =>
      call(async () => {
        const isIdle = { countedAt: trusted({ $lt: new Date(idleSinceMs) }) };
        const found = await counts.find(isIdle, { _id: 1 }).limit(limit).lean().exec();
        const ids = found.map(({ _id }) => _id);
        if (ids.length === 0) return 0;
        return (await counts.deleteMany({ ...isIdle, _id: trusted({ $in: ids }) }).exec()).deletedCount;
      }),
    readRemoval: () =>
      call(async () => {
        const document = await guards.findOne(administrators).lean().exec();
        if (document?.claim == null) return null;
        const { claim, userId = "", beganAt } = document;
        return { claim, userId, beganAtMs: beganAt?.getTime() ?? 0 };
      }),
    beginRemoval: ({ claim, userId, beganAtMs }, from) =>
      call(async () => {
        // So that there is one to compare with.
        await repeatIfDuplicate(() =>
          guards.updateOne(administrators, { $setOnInsert: { claim: null } }, { upsert: true }).exec(),
        );
        const seen = { ...administrators, claim: from?.claim ?? null };
        const update = { $set: { claim, userId, beganAt: new Date(beganAtMs) } };
        return (await guards.updateOne(seen, update).exec()).matchedCount === 1;
      }),
    endRemoval: (claim) =>
      call(async () => {
        await guards.updateOne({ ...administrators, claim }, { $set: { claim: null } }).exec();
      }),
  };
}

function digestOf(text: string): string {
  return createHash("sha256").update(text).digest("base64url");
}

function countedOf({ user, at, isWithin }: CountDocument["users"][number]): CountedUser {
  return { user, atMs: at.getTime(), isWithin };
}

function documentOf({ user, atMs, isWithin }: CountedUser): CountDocument["users"][number] {
  return { user, at: new Date(atMs), isWithin };
}
