import { Schema, trusted } from "mongoose";
import { dependencyUnavailable } from "../errors.ts";
import type { BeginningCall, CallBegun, IdempotencyStore, KeptAnswer } from "../ports/idempotency-store.ts";
import { bulkLimitMs, type MongoConnection } from "./connection.ts";
import { isDuplicateKey } from "./failures.ts";

interface CallDocument {
  readonly _id: string;
  readonly fingerprint: string;
  readonly holder: string;
  readonly operation: string;
  readonly beganAt: Date;
  readonly expiresAt: Date;
  /** Missing until there is one. */
  readonly answer?: KeptAnswer;
}

const requiredText = { type: String, required: true };
const requiredTime = { type: Date, required: true };
const answerSchema = new Schema<KeptAnswer>(
  {
    status: { type: Number, required: true },
    location: { type: String, default: null },
    contentType: { type: String, default: null },
    body: String,
    problem: { type: String, default: null },
  },
  { _id: false },
);
const callSchema = new Schema<CallDocument>(
  {
    _id: requiredText,
    fingerprint: requiredText,
    holder: requiredText,
    operation: requiredText,
    beganAt: requiredTime,
    expiresAt: requiredTime,
    answer: answerSchema,
  },
  { versionKey: false },
);
callSchema.index({ expiresAt: 1 }, { name: "expiry" });

/** Each lost attempt is another one's that came first. */
const maxAttempts = 10;

export function createMongoIdempotency({ connection, call }: MongoConnection): IdempotencyStore {
  const calls = connection.model<CallDocument>("Call", callSchema, "calls");

  /** False when there is one of this id already. */
  async function insert(document: CallDocument): Promise<boolean> {
    try {
      await calls.create(document);
      return true;
    } catch (error) {
      if (isDuplicateKey(error)) return false;
      throw error;
    }
  }

  /** False when another one has changed the call since it was read. */
  async function replace(
    document: CallDocument,
    was: { readonly holder: string; readonly answer?: null },
  ): Promise<boolean> {
    const { _id, ...fields } = document;
    const update = { $set: fields, $unset: { answer: 1 } };
    return (await calls.updateOne({ _id, ...was }, update).exec()).matchedCount > 0;
  }

  /** Null when another one came between. */
  async function attempt(given: BeginningCall): Promise<CallBegun | null> {
    const { id: _id, fingerprint, holder, nowMs } = given;
    const begun = { beganAt: new Date(nowMs), expiresAt: new Date(given.expiresAtMs) };
    const fresh = { _id, fingerprint, holder, operation: holder, ...begun };
    const begunFresh = { state: "begun", operation: holder, isRepeat: false } as const;
    const found = await calls.findById(_id).lean().exec();
    if (found === null) return (await insert(fresh)) ? begunFresh : null;
    const { holder: heldBy, operation } = found;
    if (found.expiresAt.getTime() <= nowMs)
      return (await replace(fresh, { holder: heldBy })) ? begunFresh : null;
    if (found.fingerprint !== fingerprint) return { state: "other-call" };
    if (found.answer) return { state: "answered", answer: answerOf(found.answer) };
    if (found.beganAt.getTime() > given.abandonedAtMs) return { state: "under-way" };
    const isTaken = await replace({ ...fresh, operation }, { holder: heldBy, answer: null });
    return isTaken ? { state: "begun", operation, isRepeat: true } : null;
  }

  return {
    begin: (given) =>
      call(async () => {
        for (let attempts = 0; attempts < maxAttempts; attempts += 1) {
          const begun = await attempt(given);
          if (begun !== null) return begun;
        }
        throw dependencyUnavailable("mongodb", new Error(`another call came first ${maxAttempts} times`));
      }),
    finish: (id, holder, answer) =>
      call(async () => {
        const finished = await calls
          .updateOne({ _id: id, holder, answer: null }, { $set: { answer } })
          .exec();
        return finished.matchedCount > 0;
      }),
    release: (id, holder) =>
      call(async () => {
        await calls.deleteOne({ _id: id, holder, answer: null }).exec();
      }),
    purge: (expiredBeforeMs, limit) =>
      call(async () => {
        const expiresAt = trusted({ $lt: new Date(expiredBeforeMs) });
        const found = await calls.find({ expiresAt }, { _id: 1 }).limit(limit).lean().exec();
        if (found.length === 0) return 0;
        // One that has been begun anew meanwhile expires later.
        const ids = trusted({ $in: found.map(({ _id }) => _id) });
        return (await calls.deleteMany({ _id: ids, expiresAt }).exec()).deletedCount;
      }, bulkLimitMs),
  };
}

function answerOf({ status, location, contentType, body, problem }: KeptAnswer): KeptAnswer {
  return { status, location, contentType, body, problem };
}
