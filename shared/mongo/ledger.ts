import { type Model, type QueryFilter, trusted } from "mongoose";
import type { AppliedNote, Ledger, LedgerRow, RowsOver } from "../ports/ledger.ts";
import { bulkLimitMs, type MongoConnection } from "./connection.ts";
import { isOnlyDuplicates, repeatIfDuplicate } from "./failures.ts";
import { createMongoFence } from "./fence.ts";
import { createMongoHolds } from "./holds.ts";
import {
  documentOfInstance,
  documentOfPendingRow,
  placeOf,
  type RevocationDocument,
  reachOf,
  revocationSchema,
  rowOf,
} from "./ledger-documents.ts";
import { createMongoMarks } from "./marks.ts";
import type { TokenDocument } from "./session-documents.ts";

export function createMongoLedger(mongo: MongoConnection, tokens: Model<TokenDocument>): Ledger {
  const { connection, call, ping } = mongo;
  const rows = connection.model<RevocationDocument>("Revocation", revocationSchema, "revocations");

  const findAll = (
    filter: QueryFilter<RevocationDocument>,
    {
      sort = {},
      limit = 0,
      limitMs,
      projection = {},
    }: { sort?: Record<string, 1 | -1>; limit?: number; limitMs?: number; projection?: object } = {},
  ) =>
    call(async () => {
      const documents = await rows.find(filter, projection).sort(sort).limit(limit).lean().exec();
      return documents.map(rowOf);
    }, limitMs);

  const listOldest: (
    status: "applied" | "pending",
    ...of: Parameters<Ledger["listPending"]>
  ) => Promise<LedgerRow[]> = (status, limit, after) =>
    findAll(
      {
        status,
        ...(after === undefined ? {} : { $or: newerThan(new Date(after.requestedAtMs), after.eventId) }),
      },
      { sort: { requestedAt: 1, _id: 1 }, limit, limitMs: bulkLimitMs },
    );

  return {
    ...createMongoMarks(mongo, tokens),
    ...createMongoFence(mongo),
    ...createMongoHolds(mongo, rows),
    ping,
    insertPending: (pending) =>
      pending.length === 0
        ? Promise.resolve()
        : call(() => insertMissing(rows, pending.map(documentOfPendingRow)), bulkLimitMs),
    find: (eventId) =>
      call(async () => {
        const document = await rows.findOne({ _id: eventId }).lean().exec();
        return document === null ? null : rowOf(document);
      }),
    findMany: (eventIds) => findAll({ _id: trusted({ $in: [...eventIds] }) }, { limitMs: bulkLimitMs }),
    list: ({ limit, after, subject, jti, status }) =>
      findAll(
        {
          ...(status === undefined ? {} : { status }),
          ...(subject === undefined ? {} : { subject }),
          ...(jti === undefined ? {} : { jti }),
          ...(after === undefined ? {} : { $or: olderThan(new Date(after.requestedAtMs), after.eventId) }),
        },
        { sort: { requestedAt: -1, _id: -1 }, limit },
      ),
    noteApplied: (eventId, note) => call(() => noteApplied(rows, eventId, note)),
    noteManyApplied: (notes) =>
      call(async () => {
        const updates = notes.map(({ eventId, note }) => ({ updateOne: noteOf(eventId, note) }));
        const { matchedCount } = await rows.bulkWrite(updates, { ordered: false });
        if (matchedCount === notes.length) return notes.map(() => true);
        const noted: boolean[] = [];
        for (const { eventId, note } of notes) noted.push(await noteApplied(rows, eventId, note));
        return noted;
      }, bulkLimitMs),
    noteEnforced: (eventIds, { incarnation, positions, enforcedAtMs, instances }) =>
      call(async () => {
        const update = {
          status: "enforced" as const,
          enforcedAt: new Date(enforcedAtMs),
          instances: instances.map(documentOfInstance),
        };
        const noted = {
          _id: trusted({ $in: [...eventIds] }),
          status: "applied" as const,
          incarnation,
          position: trusted({ $in: [...positions] }),
        };
        return (await rows.updateMany(noted, { $set: update }).exec()).modifiedCount;
      }, bulkLimitMs),
    noteFailed: (eventId, { untilMs }) =>
      call(async () => {
        const failed = { status: "failed" as const, until: new Date(untilMs) };
        await rows.updateOne({ _id: eventId, status: "pending" }, { $set: failed }).exec();
      }),
    listUnsettled: (limit, after) => listOldest("applied", limit, after),
    listPending: (limit, after) => listOldest("pending", limit, after),
    listLive: ({ nowMs, after = "", limit }) =>
      findAll(
        {
          _id: trusted({ $gt: after }),
          $or: [{ status: "pending" }, { until: trusted({ $gte: new Date(nowMs) }) }],
        },
        { sort: { _id: 1 }, limit, limitMs: bulkLimitMs, projection: { instances: 0 } },
      ),
    listExpired: async (over, limit) => {
      const expired: LedgerRow[] = [];
      for (const filter of filtersOver(over)) {
        const wanted = limit - expired.length;
        if (wanted === 0) break;
        const found = await findAll(filter, { sort: { until: 1 }, limit: wanted, limitMs: bulkLimitMs });
        expired.push(...found);
      }
      return expired;
    },
    removeRows: async (eventIds, over) => {
      let removed = 0;
      for (const filter of filtersOver(over)) {
        const ofThese = { ...filter, _id: trusted({ $in: [...eventIds] }) };
        const { deletedCount } = await call(() => rows.deleteMany(ofThese).exec(), bulkLimitMs);
        removed += deletedCount;
      }
      return removed;
    },
  };
}

/** Few are there already, and an insert costs less than an upsert: a fifth, with some servers. */
async function insertMissing(
  rows: Model<RevocationDocument>,
  documents: readonly RevocationDocument[],
): Promise<void> {
  try {
    await rows.insertMany(documents, { ordered: false, lean: true });
  } catch (error) {
    if (!isOnlyDuplicates(error)) throw error;
    // An upsert that finds a row waits until it is durable.
    const upserts = documents.map(({ _id, ...row }) => ({
      updateOne: { filter: { _id }, update: { $setOnInsert: row }, upsert: true },
    }));
    await repeatIfDuplicate(() => rows.bulkWrite(upserts, { ordered: false }));
  }
}

/**
 * Several workers may note one row, each its own writes, in any order. Within an incarnation the latest position
 * stands, since only there all of them are; between incarnations the last note does. The reach grows in any case.
 * An enforced row stays as it is.
 */
async function noteApplied(
  rows: Model<RevocationDocument>,
  eventId: string,
  note: AppliedNote,
): Promise<boolean> {
  const { filter, update } = noteOf(eventId, note);
  const moved = await rows.updateOne(filter, update).exec();
  if (moved.matchedCount > 0) return true;
  const { incarnation } = note;
  const further = { ...filter, incarnation, position: trusted({ $lt: note.position }) };
  if ((await rows.updateOne(further, update).exec()).matchedCount > 0) return true;
  const grown = await rows.updateOne({ _id: eventId, status: "applied" }, { $max: reachOf(note) }).exec();
  if (grown.matchedCount > 0) return true;
  // Not any row: one that was inserted since bears nothing of this note.
  const status = trusted({ $in: ["enforced" as const, "held" as const] });
  return (await rows.exists({ _id: eventId, status }).exec()) !== null;
}

/** Of a row under another incarnation. One with a lower position is another question: `$or` has some servers scan. */
function noteOf(eventId: string, note: AppliedNote) {
  const subject = note.subject === null ? {} : { subject: note.subject };
  const filter: QueryFilter<RevocationDocument> = {
    _id: eventId,
    status: trusted({ $in: ["pending" as const, "failed" as const, "applied" as const] }),
    incarnation: trusted({ $ne: note.incarnation }),
  };
  return { filter, update: { $set: { ...placeOf(note), ...subject }, $max: reachOf(note) } };
}

/** Which rows are over. Two questions: joined by `$or` they would have some servers scan the collection. */
function filtersOver({ untilBeforeMs, unsettledUntilBeforeMs }: RowsOver): QueryFilter<RevocationDocument>[] {
  const settled = trusted({ $in: ["enforced" as const, "failed" as const] });
  return [
    { until: trusted({ $lt: new Date(unsettledUntilBeforeMs) }), status: "applied" },
    { until: trusted({ $lt: new Date(untilBeforeMs) }), status: settled },
  ];
}

/** Stands after that place in a list that has the oldest first. */
function newerThan(requestedAt: Date, eventId: string): QueryFilter<RevocationDocument>[] {
  return [{ requestedAt: trusted({ $gt: requestedAt }) }, { requestedAt, _id: trusted({ $gt: eventId }) }];
}

/** Stands after that place in a list that has the newest first. */
function olderThan(requestedAt: Date, eventId: string): QueryFilter<RevocationDocument>[] {
  return [{ requestedAt: trusted({ $lt: requestedAt }) }, { requestedAt, _id: trusted({ $lt: eventId }) }];
}
