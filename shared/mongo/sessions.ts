import { type Model, type QueryFilter, trusted } from "mongoose";
import type { Rotation, SessionQuery, SessionStore } from "../ports/session-store.ts";
import { bulkLimitMs, type MongoConnection } from "./connection.ts";
import {
  documentOfNewSession,
  documentOfToken,
  type SessionDocument,
  sessionOf,
  sessionSchema,
  type TokenDocument,
  tokenOf,
  tokenSchema,
} from "./session-documents.ts";

export function createMongoSessions(
  { connection, call }: MongoConnection,
  tokens: Model<TokenDocument>,
): SessionStore {
  const sessions = connection.model<SessionDocument>("Session", sessionSchema, "sessions");

  const findSession = (sid: string) =>
    call(async () => {
      const document = await sessions.findOne({ _id: sid }).lean().exec();
      return document === null ? null : sessionOf(document);
    });

  return {
    createSession: (session) =>
      call(async () => {
        await sessions.create(documentOfNewSession(session));
      }),
    findSession,
    listSessions: (query) =>
      call(async () => {
        const documents = await sessions
          .find(liveOf(query))
          .sort({ createdAt: -1, _id: -1 })
          .limit(query.limit)
          .lean()
          .exec();
        return documents.map(sessionOf);
      }),
    // Not one findOneAndUpdate: some servers of this protocol scan the collection for it.
    rotate: (sid, rotation) =>
      call(async () => {
        const present = { _id: sid, refreshHash: rotation.fromHash, endedAt: null };
        const { matchedCount } = await sessions.updateOne(present, updateOfRotation(rotation)).exec();
        return matchedCount === 0 ? null : findSession(sid);
      }),
    endSession: (sid, endedAtMs) =>
      call(async () => {
        const ended = await sessions
          .updateOne({ _id: sid, endedAt: null }, { $set: { endedAt: new Date(endedAtMs) } })
          .exec();
        return ended.matchedCount > 0 || (await sessions.exists({ _id: sid }).exec()) !== null;
      }),
    endSessionsCreatedBy: (subject, createdAtOrBeforeMs, endedAtMs) =>
      call(async () => {
        const createdAt = trusted({ $lte: new Date(createdAtOrBeforeMs) });
        const ended = { $set: { endedAt: new Date(endedAtMs) } };
        await sessions.updateMany({ subject, createdAt, endedAt: null }, ended).exec();
      }, bulkLimitMs),
    recordToken: (token) =>
      call(async () => {
        await tokens.create(documentOfToken(token));
      }),
    findToken: (jti) =>
      call(async () => {
        const document = await tokens.findOne({ _id: jti }).lean().exec();
        return document === null ? null : tokenOf(document);
      }),
    findTokens: (jtis) =>
      call(async () => {
        const documents = await tokens
          .find({ _id: trusted({ $in: [...jtis] }) })
          .lean()
          .exec();
        return documents.map(tokenOf);
      }, bulkLimitMs),
    purgeTokens: (expiredBeforeMs, limit) =>
      call(() => {
        const found = tokens.find(expiredBefore(expiredBeforeMs), { _id: 1 }).limit(limit).lean().exec();
        return purge(found, (chosen) => tokens.deleteMany({ _id: chosen }).exec());
      }, bulkLimitMs),
    purgeSessions: (expiredBeforeMs, limit) =>
      call(() => {
        const found = sessions.find(expiredBefore(expiredBeforeMs), { _id: 1 }).limit(limit).lean().exec();
        return purge(found, (chosen) => sessions.deleteMany({ _id: chosen }).exec());
      }, bulkLimitMs),
  };
}

function updateOfRotation({ fromHash, toHash, usedAtMs, client, sealedAnswer }: Rotation) {
  const answer = sealedAnswer === undefined ? undefined : { spentHash: fromHash, sealed: sealedAnswer };
  return {
    $set: {
      refreshHash: toHash,
      lastUsedAt: new Date(usedAtMs),
      ...(client !== undefined && { client }),
      ...(answer !== undefined && { answer }),
    },
    ...(answer === undefined && { $unset: { answer: 1 as const } }),
  };
}

function liveOf({ subject, live, after }: SessionQuery): QueryFilter<SessionDocument> {
  const createdAt = after && new Date(after.createdAtMs);
  return {
    subject,
    endedAt: null,
    epoch: trusted({ $gte: live.fromEpoch }),
    expiresAt: trusted({ $gt: new Date(live.expiresAfterMs) }),
    lastUsedAt: trusted({ $gt: new Date(live.usedAfterMs) }),
    ...(after !== undefined &&
      createdAt !== undefined && {
        $or: [{ createdAt: trusted({ $lt: createdAt }) }, { createdAt, _id: trusted({ $lt: after.sid }) }],
      }),
  };
}

export const tokenModelOf = ({ connection }: MongoConnection) =>
  connection.model<TokenDocument>("Token", tokenSchema, "tokens");

const expiredBefore = (timeMs: number) => ({ expiresAt: trusted({ $lt: new Date(timeMs) }) });

/** In bounded steps: those found, and no more than those. */
async function purge(
  found: Promise<readonly { readonly _id: string }[]>,
  remove: (chosen: { readonly $in: string[] }) => Promise<{ readonly deletedCount: number }>,
): Promise<number> {
  const ids = (await found).map(({ _id }) => _id);
  return ids.length === 0 ? 0 : (await remove(trusted({ $in: ids }))).deletedCount;
}
