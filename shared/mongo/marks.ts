import { type Model, type QueryFilter, trusted } from "mongoose";
import type { Ledger, MarkedToken, TokenSelection } from "../ports/ledger.ts";
import { bulkLimitMs, type MongoConnection } from "./connection.ts";
import type { TokenDocument } from "./session-documents.ts";

type Marks = Pick<
  Ledger,
  "markTokens" | "listMarked" | "listMarkedByOthers" | "listMarkedBetween" | "lastExpiryMs"
>;

/** The ledger's part in the recorded tokens. */
export function createMongoMarks({ call }: MongoConnection, tokens: Model<TokenDocument>): Marks {
  return {
    markTokens: (eventId, selection, limit) =>
      call(async () => {
        const isMeant = { ...filterOf(selection), revokedBy: null };
        let marked = 0;
        // Others may mark what was found meanwhile: fewer than `limit` must mean that none is left.
        while (marked < limit) {
          const wanted = limit - marked;
          const found = await tokens.find(isMeant, { _id: 1 }).limit(wanted).lean().exec();
          if (found.length === 0) break;
          const ids = found.map(({ _id }) => _id);
          const written = await tokens
            .updateMany({ _id: trusted({ $in: ids }), revokedBy: null }, { $set: { revokedBy: eventId } })
            .exec();
          marked += written.modifiedCount;
          if (found.length < wanted && written.modifiedCount === found.length) break;
        }
        return marked;
      }, bulkLimitMs),
    listMarked: (eventIds, { expiresAfterMs, after = "", limit }) =>
      call(async () => {
        const documents = await tokens
          .find(
            {
              revokedBy: eventIds.length === 1 ? (eventIds[0] ?? "") : trusted({ $in: [...eventIds] }),
              expiresAt: trusted({ $gt: new Date(expiresAfterMs) }),
              _id: trusted({ $gt: after }),
            },
            { expiresAt: 1, revokedBy: 1 },
          )
          .sort({ _id: 1 })
          .limit(limit)
          .lean()
          .exec();
        return documents.flatMap(markedTokenOf);
      }, bulkLimitMs),
    listMarkedByOthers: (eventId, selection, { after, limit }) =>
      call(async () => {
        const documents = await tokens
          // Not compared with a text, lest a server takes the index of all marks rather than the selection's.
          .find(
            { ...filterOf(selection, after), revokedBy: trusted({ $nin: [null, eventId] }) },
            { expiresAt: 1, revokedBy: 1 },
          )
          .sort({ _id: 1 })
          .limit(limit)
          .lean()
          .exec();
        return documents.flatMap(markedTokenOf);
      }, bulkLimitMs),
    listMarkedBetween: ({ from, to, expiresAfterMs, limit }) =>
      call(async () => {
        const documents = await tokens
          .find({ revokedBy: trusted({ $gte: from, $lte: to }) }, { expiresAt: 1, revokedBy: 1 })
          .limit(limit + 1)
          .batchSize(limit + 1)
          .lean()
          .exec();
        // Few have expired and are still there: leaving them out here costs less than having the server compare.
        return documents.length > limit
          ? null
          : documents.flatMap(markedTokenOf).filter(({ expiresAtMs }) => expiresAtMs > expiresAfterMs);
      }, bulkLimitMs),
    lastExpiryMs: (subject) =>
      call(async () => {
        const last = await tokens
          .findOne({ subject }, { expiresAt: 1 })
          .sort({ expiresAt: -1 })
          .lean()
          .exec();
        return last === null ? null : last.expiresAt.getTime();
      }),
  };
}

function markedTokenOf({
  _id,
  expiresAt,
  revokedBy,
}: Pick<TokenDocument, "_id" | "expiresAt" | "revokedBy">): MarkedToken[] {
  return revokedBy === undefined ? [] : [{ jti: _id, expiresAtMs: expiresAt.getTime(), revokedBy }];
}

/** Those after `after`, if it is given. */
function filterOf(selection: TokenSelection, after?: string): QueryFilter<TokenDocument> {
  const beyond = after === undefined ? {} : { $gt: after };
  const expiresAt = trusted({ $gt: new Date(selection.nowMs) });
  if (selection.by === "jti") return { _id: trusted({ $eq: selection.jti, ...beyond }), expiresAt };
  const all = { expiresAt, ...(after === undefined ? {} : { _id: trusted(beyond) }) };
  if (selection.by === "session") return { sid: selection.sid, ...all };
  const ofSubject = { subject: selection.subject, ...all };
  return selection.by === "epoch"
    ? { ...ofSubject, epoch: trusted({ $lt: selection.belowEpoch }) }
    : { ...ofSubject, issuedAt: trusted({ $lte: new Date(selection.issuedAtOrBeforeMs) }) };
}
