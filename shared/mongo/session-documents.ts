import { Schema } from "mongoose";
import type {
  KeptAnswer,
  NewSession,
  Session,
  SessionClient,
  TokenKey,
  TokenRecord,
} from "../ports/session-store.ts";

export interface SessionDocument {
  readonly _id: string;
  readonly subject: string;
  readonly epoch: number;
  readonly refreshHash: string;
  readonly createdAt: Date;
  readonly lastUsedAt: Date;
  readonly expiresAt: Date;
  readonly endedAt?: Date;
  readonly client?: SessionClient;
  readonly answer?: KeptAnswer;
}

export interface TokenDocument {
  readonly _id: string;
  readonly subject: string;
  readonly sid: string;
  readonly epoch: number;
  readonly issuedAt: Date;
  readonly expiresAt: Date;
  /** Missing while it lives. */
  readonly revokedBy?: string;
  readonly key?: TokenKey;
}

const requiredText = { type: String, required: true };
const requiredNumber = { type: Number, required: true };
const requiredTime = { type: Date, required: true };

export const sessionSchema = new Schema<SessionDocument>(
  {
    _id: requiredText,
    subject: requiredText,
    epoch: requiredNumber,
    refreshHash: requiredText,
    createdAt: requiredTime,
    lastUsedAt: requiredTime,
    expiresAt: requiredTime,
    endedAt: Date,
    client: new Schema({ address: String, agent: String }, { _id: false }),
    answer: new Schema({ spentHash: String, sealed: String }, { _id: false }),
  },
  { versionKey: false },
);
sessionSchema.index({ expiresAt: 1 }, { name: "expiry" });
sessionSchema.index({ subject: 1, createdAt: 1 }, { name: "subject" });

export const tokenSchema = new Schema<TokenDocument>(
  {
    _id: requiredText,
    subject: requiredText,
    sid: requiredText,
    epoch: requiredNumber,
    issuedAt: requiredTime,
    expiresAt: requiredTime,
    revokedBy: String,
    key: new Schema({ kid: String, alg: String, thumbprint: String }, { _id: false }),
  },
  { versionKey: false },
);
tokenSchema.index({ subject: 1, expiresAt: 1 }, { name: "subject_expiry" });
tokenSchema.index({ sid: 1 }, { name: "session" });
tokenSchema.index({ expiresAt: 1 }, { name: "expiry" });
// Servers that speak the protocol only use it for what compares `revokedBy` with a text, not for `$in`.
tokenSchema.index(
  { revokedBy: 1, _id: 1 },
  { name: "marked", partialFilterExpression: { revokedBy: { $gt: "" } } },
);

export function documentOfNewSession(session: NewSession): SessionDocument {
  const createdAt = new Date(session.createdAtMs);
  return {
    _id: session.sid,
    subject: session.subject,
    epoch: session.epoch,
    refreshHash: session.refreshHash,
    createdAt,
    lastUsedAt: createdAt,
    expiresAt: new Date(session.expiresAtMs),
    ...(session.client !== undefined && { client: session.client }),
  };
}

export function sessionOf({ _id: sid, ...document }: SessionDocument): Session {
  return {
    sid,
    subject: document.subject,
    epoch: document.epoch,
    refreshHash: document.refreshHash,
    createdAtMs: document.createdAt.getTime(),
    lastUsedAtMs: document.lastUsedAt.getTime(),
    expiresAtMs: document.expiresAt.getTime(),
    endedAtMs: document.endedAt?.getTime() ?? null,
    ...(document.client !== undefined && { client: document.client }),
    ...(document.answer !== undefined && { answer: document.answer }),
  };
}

export function documentOfToken(token: TokenRecord): TokenDocument {
  return {
    _id: token.jti,
    subject: token.subject,
    sid: token.sid,
    epoch: token.epoch,
    issuedAt: new Date(token.issuedAtMs),
    expiresAt: new Date(token.expiresAtMs),
    ...(token.revokedBy === null ? {} : { revokedBy: token.revokedBy }),
    ...(token.key !== undefined && { key: token.key }),
  };
}

export function tokenOf({ _id: jti, ...document }: TokenDocument): TokenRecord {
  return {
    jti,
    subject: document.subject,
    sid: document.sid,
    epoch: document.epoch,
    issuedAtMs: document.issuedAt.getTime(),
    expiresAtMs: document.expiresAt.getTime(),
    revokedBy: document.revokedBy ?? null,
    ...(document.key !== undefined && { key: document.key }),
  };
}
