import { type QueryFilter, trusted } from "mongoose";
import { AppError } from "../errors.ts";
import type { StateChange, UserStore } from "../ports/user-store.ts";
import { userAfterChange } from "../revocation/user-after-change.ts";
import type { UserState } from "../revocation/user-state.ts";
import { bulkLimitMs, type MongoConnection } from "./connection.ts";
import { isDuplicateKey, violatedIndex } from "./failures.ts";
import {
  documentOfDatedAhead,
  documentOfDeactivation,
  documentOfEvent,
  documentOfNewUser,
  emailIndex,
  eventOf,
  externalIndex,
  externalKeyOf,
  stateOf,
  type UserDocument,
  userOf,
  userSchema,
} from "./user-documents.ts";

const withoutOutbox = { outbox: 0 } as const;
const unsetInTombstone = { email: 1, passwordHash: 1, roles: 1, externalKeys: 1, datedAhead: 1 } as const;
const stateFields = { status: 1, epoch: 1, statusChangedAt: 1, epochRaisedAt: 1 } as const;

export function createMongoUsers({ connection, call, ping }: MongoConnection): UserStore {
  const users = connection.model<UserDocument>("User", userSchema, "users");

  const findOne = (filter: QueryFilter<UserDocument>) =>
    call(async () => {
      const document = await users.findOne(filter, withoutOutbox).lean().exec();
      return document === null ? null : userOf(document);
    });

  const findMany = (ids: readonly string[]) =>
    call(async () => {
      const documents = await users
        .find({ _id: trusted({ $in: [...ids] }) }, withoutOutbox)
        .lean()
        .exec();
      return documents.map(userOf);
    }, bulkLimitMs);

  return {
    ping,
    create: (user) =>
      call(async () => {
        const document = documentOfNewUser(user);
        await users.create(document).catch((error: unknown) => {
          throw takenBy(error);
        });
        return userOf(document);
      }),
    findById: (id) => findOne({ _id: id }),
    findMany,
    findByEmail: (normalisedEmail) => findOne({ email: normalisedEmail }),
    findByExternalIdentity: (identity) => findOne({ externalKeys: externalKeyOf(identity) }),
    list: ({ limit, after, status, email }) =>
      call(async () => {
        const documents = await users
          .find(
            {
              status: status ?? trusted({ $in: ["active", "deactivated"] }),
              isClient: trusted({ $ne: true as const }),
              ...(email === undefined ? {} : { email }),
              ...(after === undefined ? {} : { _id: trusted({ $gt: after }) }),
            },
            withoutOutbox,
          )
          .sort({ _id: 1 })
          .limit(limit)
          .lean()
          .exec();
        return documents.map(userOf);
      }),
    listStates: ({ after, limit }) =>
      call(async () => {
        const documents = await users
          .find(after === undefined ? {} : { _id: trusted({ $gt: after }) }, stateFields)
          .sort({ _id: 1 })
          .limit(limit)
          .lean()
          .exec();
        return documents.map(stateOf);
      }, bulkLimitMs),
    hasAdministrator: () =>
      call(async () => (await users.exists({ status: "active", roles: "admin" }).exec()) !== null),
    hasOtherAdministrator: (id) =>
      call(async () => {
        const isOther = { _id: trusted({ $ne: id }) };
        return (await users.exists({ ...isOther, status: "active", roles: "admin" }).exec()) !== null;
      }),
    raiseRevision: (id) =>
      call(async () => {
        await users.updateOne({ _id: id }, { $inc: { revision: 1 } }).exec();
      }),
    // Not one findOneAndUpdate: some servers of this protocol scan the collection for it. Read before: a change that was
    // made is not to fail afterwards.
    change: (id, change) =>
      call(async () => {
        const user = await findOne({ _id: id });
        if (user === null) return null;
        const { matchedCount } = await users.updateOne(stillAt(id, change), updateOf(change)).exec();
        if (matchedCount === 0) return null;
        const outboxLength = user.outboxLength + (change.event === undefined ? 0 : 1);
        return { ...userAfterChange(user, change), outboxLength };
      }),
    changeMany: async (changes) => {
      const updates = changes.map(({ id, change }) => ({
        updateOne: { filter: stillAt(id, change), update: updateOf(change) },
      }));
      await call(() => users.bulkWrite(updates, { ordered: false }), bulkLimitMs);
      const present = new Map((await findMany(changes.map(({ id }) => id))).map((user) => [user.id, user]));
      return changes.map(({ id, change }) => {
        const user = present.get(id);
        return user !== undefined && isAt(user, change.to) ? user : null;
      });
    },
    appendEvent: (id, event) =>
      call(async () => {
        const update = { $push: { outbox: documentOfEvent(event) }, $inc: { outboxLength: 1 } };
        const lacking = { _id: id, "outbox.id": trusted({ $ne: event.id }) };
        const appended = await users.updateOne(lacking, update).exec();
        return appended.matchedCount > 0 || (await users.exists({ _id: id }).exec()) !== null;
      }),
    listOutbox: (limit) =>
      call(async () => {
        const documents = await users
          .find({ "outbox.id": trusted({ $gt: "" }) }, { outbox: 1 })
          .limit(limit)
          .lean()
          .exec();
        return documents
          .flatMap(({ _id, outbox }) => outbox.map((event) => ({ userId: _id, event: eventOf(event) })))
          .slice(0, limit);
      }, bulkLimitMs),
    findOutboxEvent: (eventId) =>
      call(async () => {
        const document = await users.findOne({ "outbox.id": eventId }, { outbox: 1 }).lean().exec();
        if (document === null) return null;
        const { _id: userId, outbox } = document;
        const waiting = outbox.find(({ id }) => id === eventId);
        return waiting === undefined ? null : { userId, event: eventOf(waiting) };
      }),
    removeFromOutbox: (userId, eventId) =>
      call(async () => {
        const update = { $pull: { outbox: { id: eventId } }, $inc: { outboxLength: -1 } };
        await users.updateOne({ _id: userId, "outbox.id": eventId }, update).exec();
      }),
    countOutbox: () =>
      call(async () => {
        const totals = await users
          .aggregate<{ count: number }>([
            { $match: { "outbox.id": { $gt: "" } } },
            { $group: { _id: null, count: { $sum: "$outboxLength" } } },
          ])
          .exec();
        return totals[0]?.count ?? 0;
      }, bulkLimitMs),
    keepDeactivation: (userId, deactivation) =>
      call(async () => {
        await users
          .updateOne(
            { _id: userId, "lastDeactivation.eventId": deactivation.eventId },
            { $set: { lastDeactivation: documentOfDeactivation(deactivation) } },
          )
          .exec();
      }),
    purgeTombstones: (madeBeforeMs, limit, spared = []) =>
      call(async () => {
        const isOver = {
          status: "deleted" as const,
          outboxLength: 0,
          deletedAt: trusted({ $lt: new Date(madeBeforeMs) }),
        };
        const isNotSpared = { _id: trusted({ $nin: [...spared] }) };
        const found = await users
          .find({ ...isOver, ...isNotSpared }, { _id: 1 })
          .limit(limit)
          .lean()
          .exec();
        if (found.length === 0) return 0;
        // Asked again, since an event may have been appended meanwhile.
        const ids = found.map(({ _id }) => _id);
        return (await users.deleteMany({ ...isOver, _id: trusted({ $in: ids }) }).exec()).deletedCount;
      }, bulkLimitMs),
  };
}

function stillAt(id: string, { from, revision }: StateChange) {
  return {
    _id: id,
    ...(revision === undefined ? {} : { revision: revision === 0 ? trusted({ $exists: false }) : revision }),
    status: from.status,
    epoch: from.epoch,
    statusChangedAt: new Date(from.statusChangedAtMs),
    epochRaisedAt: new Date(from.epochRaisedAtMs),
  };
}

function isAt(user: UserState, { status, epoch, statusChangedAtMs, epochRaisedAtMs }: UserState): boolean {
  return (
    user.status === status &&
    user.epoch === epoch &&
    user.statusChangedAtMs === statusChangedAtMs &&
    user.epochRaisedAtMs === epochRaisedAtMs
  );
}

/** A tombstone loses what is personal in the same write. */
function updateOf({ to, changedAtMs = to.statusChangedAtMs, event, deactivation, datedAhead }: StateChange) {
  const isDeleted = to.status === "deleted";
  return {
    $set: {
      status: to.status,
      epoch: to.epoch,
      statusChangedAt: new Date(to.statusChangedAtMs),
      epochRaisedAt: new Date(to.epochRaisedAtMs),
      ...(isDeleted ? { deletedAt: new Date(changedAtMs) } : {}),
      ...(deactivation === undefined ? {} : { lastDeactivation: documentOfDeactivation(deactivation) }),
      ...(datedAhead === undefined || isDeleted ? {} : { datedAhead: datedAhead.map(documentOfDatedAhead) }),
    },
    ...(event === undefined ? {} : { $push: { outbox: documentOfEvent(event) }, $inc: { outboxLength: 1 } }),
    ...(isDeleted ? { $unset: unsetInTombstone } : {}),
  };
}

function takenBy(error: unknown): unknown {
  if (!isDuplicateKey(error)) return error;
  const index = violatedIndex(error);
  if (index === emailIndex) return new AppError("email-taken", "Choose another e-mail address.");
  if (index === externalIndex) {
    return new AppError("external-identity-taken", "Remove it from the other user first.");
  }
  return new Error("two users got one id", { cause: error });
}
