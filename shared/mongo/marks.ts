import { type Model, type QueryFilter, trusted } from "mongoose";
import type { Ledger, MarkedToken, TokenSelection } from "../ports/ledger.ts";
import { chooseUnmarked } from "./choose-unmarked.ts";
import { bulkLimitMs, type MongoConnection } from "./connection.ts";
import type { TokenDocument } from "./session-documents.ts";

type Marks = Pick<
  Ledger,
  | "markTokens"
  | "markMany"
  | "listMarked"
  | "listMarkedByOthers"
  | "listMarkedBetween"
  | "lastExpiryMs"
  | "lastExpiriesMs"
>;

/** The ledger's part in the recorded tokens. */
export function createMongoMarks({ call }: MongoConnection, tokens: Model<TokenDocument>): Marks {
  const markTokens: Ledger["markTokens"] = (eventId, selection, limit) =>
    call(async () => {
      const isMeant = { ...filterOf(selection), revokedBy: null };
      let marked = 0;
      // Others may mark what was found meanwhile: fewer than `limit` must mean that none is left.
      while (marked < limit) {
        const wanted = limit - marked;
        const found = await tokens.find(isMeant, { _id: 1 }).limit(wanted).lean().exec();
        if (found.length === 0) break;
        const { filter, update } = markOf(
          eventId,
          found.map(({ _id }) => _id),
        );
        const written = await tokens.updateMany(filter, update).exec();
        marked += written.modifiedCount;
        if (found.length < wanted && written.modifiedCount === found.length) break;
      }
      return marked;
    }, bulkLimitMs);

  return {
    markTokens,
    markMany: async (requests, limit) => {
      const chosen = await call(() => chooseUnmarked(tokens, requests, limit), bulkLimitMs);
      if (chosen === null) {
        const marked: number[] = [];
        for (const { eventId, selection } of requests)
          marked.push(await markTokens(eventId, selection, limit));
        return marked;
      }
      const updates = requests.flatMap(({ eventId }, at) => {
        const ids = chosen[at] ?? [];
        return ids.length === 0 ? [] : [{ updateMany: markOf(eventId, ids) }];
      });
      if (updates.length > 0) await call(() => tokens.bulkWrite(updates, { ordered: false }), bulkLimitMs);
      return chosen.map((ids) => ids.length);
    },
    listMarked: (eventIds, { expiresAfterMs, after = "", limit, subjects }) =>
      call(async () => {
        const documents = await tokens
          .find(
            {
              revokedBy: eventIds.length === 1 ? (eventIds[0] ?? "") : trusted({ $in: [...eventIds] }),
              expiresAt: trusted({ $gt: new Date(expiresAfterMs) }),
              _id: trusted({ $gt: after }),
              ...(subjects === undefined ? {} : { subject: trusted({ $in: [...subjects] }) }),
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
        // By event, since a text that is sent once instead of with each token makes an answer that is handled faster.
        const found = await tokens
          .aggregate<MarkedByEvent>([
            { $match: { revokedBy: { $gte: from, $lte: to } } },
            { $limit: limit + 1 },
            { $group: { _id: "$revokedBy", jtis: { $push: "$_id" }, expiries: { $push: "$expiresAt" } } },
          ])
          .option({ batchSize: limit + 1 })
          .exec();
        if (found.reduce((count, { jtis }) => count + jtis.length, 0) > limit) return null;
        // Few have expired and are still there: leaving them out here costs less than having the server compare.
        return found.flatMap(markedTokensOf).filter(({ expiresAtMs }) => expiresAtMs > expiresAfterMs);
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
    lastExpiriesMs: (subjects) =>
      call(async () => {
        const last = await tokens
          .aggregate<{ _id: string; last: Date }>([
            { $match: { subject: { $in: [...subjects] } } },
            { $group: { _id: "$subject", last: { $max: "$expiresAt" } } },
          ])
          .exec();
        return new Map(last.map(({ _id, last: expiresAt }) => [_id, expiresAt.getTime()]));
      }, bulkLimitMs),
  };
}

function markOf(eventId: string, ids: readonly string[]) {
  const filter: QueryFilter<TokenDocument> = { _id: trusted({ $in: [...ids] }), revokedBy: null };
  return { filter, update: { $set: { revokedBy: eventId } } };
}

function markedTokenOf({
  _id,
  expiresAt,
  revokedBy,
}: Pick<TokenDocument, "_id" | "expiresAt" | "revokedBy">): MarkedToken[] {
  return revokedBy === undefined ? [] : [{ jti: _id, expiresAtMs: expiresAt.getTime(), revokedBy }];
}

interface MarkedByEvent {
  readonly _id: string;
  readonly jtis: readonly string[];
  readonly expiries: readonly Date[];
}

function markedTokensOf({ _id: revokedBy, jtis, expiries }: MarkedByEvent): MarkedToken[] {
  // A server leaves out what is missing, and each expiry after it would be another token's.
  if (expiries.length !== jtis.length) throw new TypeError(`a token marked by ${revokedBy} has no expiry`);
  return expiries.map((expiry, at) => ({ jti: jtis[at] ?? "", expiresAtMs: expiry.getTime(), revokedBy }));
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
