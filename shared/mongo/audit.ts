import { type QueryFilter, trusted } from "mongoose";
import type { AuditPlace, AuditQuery, AuditStore } from "../ports/audit-store.ts";
import {
  type AuditDocument,
  auditSchema,
  documentOfEntry,
  documentOfRecord,
  entryOf,
  idOf,
  type RegisterDocument,
  recordOf,
  registerSchema,
} from "./audit-documents.ts";
import { bulkLimitMs, type MongoConnection } from "./connection.ts";
import { isDuplicateKey, isOnlyDuplicates } from "./failures.ts";

/** Inserts only, so that whoever writes the audit needs no right to change it. */
export function createMongoAudit({ connection, call }: MongoConnection): AuditStore {
  const records = connection.model<AuditDocument>("AuditRecord", auditSchema, "audit");
  const register = connection.model<RegisterDocument>("AuditRegister", registerSchema, "audit_register");

  return {
    append: (added) =>
      added.length === 0
        ? Promise.resolve()
        : call(async () => {
            try {
              await records.insertMany(added.map(documentOfRecord), { ordered: false });
            } catch (error) {
              if (!isOnlyDuplicates(error)) throw error;
            }
          }, bulkLimitMs),
    list: (query) =>
      call(async () => {
        const found = records.find(filterOf(query)).sort({ at: -1, _id: -1 });
        return (await found.limit(query.limit).lean().exec()).map(recordOf);
      }),
    listByChain: ({ after, limit }) =>
      call(async () => {
        const found = records.find(after === undefined ? {} : { _id: trusted({ $gt: idOf(after) }) });
        return (await found.sort({ _id: 1 }).limit(limit).lean().exec()).map(recordOf);
      }, bulkLimitMs),
    removeBelow: ({ chain, seq }, limit) =>
      call(async () => {
        const places = trusted({ $gte: idOf({ chain, seq: 0 }), $lt: idOf({ chain, seq }) });
        const below = records.find({ _id: places }, { _id: 1 }).sort({ _id: 1 }).limit(limit);
        const ids = (await below.lean().exec()).map(({ _id }) => _id);
        if (ids.length === 0) return 0;
        return (await records.deleteMany({ _id: trusted({ $in: ids }) }).exec()).deletedCount;
      }, bulkLimitMs),
    appendToRegister: (entry) =>
      call(async () => {
        try {
          await register.create(documentOfEntry(entry));
          return true;
        } catch (error) {
          if (isDuplicateKey(error)) return false;
          throw error;
        }
      }),
    lastOfRegister: () =>
      call(async () => {
        const last = await register.findOne().sort({ _id: -1 }).lean().exec();
        return last === null ? null : entryOf(last);
      }),
    listRegister: ({ after = 0, limit }) =>
      call(async () => {
        const found = register.find({ _id: trusted({ $gt: after }) }).sort({ _id: 1 });
        return (await found.limit(limit).lean().exec()).map(entryOf);
      }, bulkLimitMs),
    removeFromRegister: (below, limit) =>
      call(async () => {
        const found = register.find({ _id: trusted({ $lt: below }) }, { _id: 1 }).sort({ _id: 1 });
        const ids = (await found.limit(limit).lean().exec()).map(({ _id }) => _id);
        if (ids.length === 0) return 0;
        return (await register.deleteMany({ _id: trusted({ $in: ids }) }).exec()).deletedCount;
      }, bulkLimitMs),
  };
}

function filterOf({ after, fromMs, toMs, ...query }: AuditQuery): QueryFilter<AuditDocument> {
  const { actor, subject, action, eventId } = query;
  const at = {
    ...(fromMs === undefined ? {} : { $gte: new Date(fromMs) }),
    ...(toMs === undefined ? {} : { $lt: new Date(toMs) }),
  };
  return {
    ...(actor === undefined ? {} : { actor }),
    ...(subject === undefined ? {} : { subject }),
    ...(action === undefined ? {} : { action }),
    ...(eventId === undefined ? {} : { eventId }),
    ...(fromMs === undefined && toMs === undefined ? {} : { at: trusted(at) }),
    ...(after === undefined ? {} : { $or: olderThan(after) }),
  };
}

/** Stands after that place in a list that has the newest first. */
function olderThan({ atMs, ...place }: AuditPlace): QueryFilter<AuditDocument>[] {
  const at = new Date(atMs);
  return [{ at: trusted({ $lt: at }) }, { at, _id: trusted({ $lt: idOf(place) }) }];
}
