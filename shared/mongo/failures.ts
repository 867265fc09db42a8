import mongoose from "mongoose";
import { dependencyUnavailable } from "../errors.ts";

const { MongoBulkWriteError, MongoError, MongoInvalidArgumentError, MongoServerError } = mongoose.mongo;
const duplicateKey = 11000;
const unauthorized = 13;

/** What the server or the way to it did wrong becomes an `AppError`; a mistake of ours stays what it is. */
export function asAppError(error: unknown): unknown {
  return isOfTheServer(error) ? dependencyUnavailable("mongodb", error) : error;
}

function isOfTheServer(error: unknown): boolean {
  if (!(error instanceof Error) || error instanceof MongoInvalidArgumentError) return false;
  // A DNS fault of a mongodb+srv address is a plain system error.
  return error instanceof MongoError || "syscall" in error;
}

/** Of what `asAppError` gave back: the server knows the user, and does not let him do this. */
export function lacksRights(error: unknown): boolean {
  const cause = error instanceof Error ? error.cause : undefined;
  return cause instanceof MongoServerError && cause.code === unauthorized;
}

/** Whether the write was refused since its key is there already. */
export function isDuplicateKey(error: unknown): error is Error {
  return error instanceof MongoServerError && error.code === duplicateKey;
}

/** Whether of many inserts none was refused but for its key's being there already. */
export function isOnlyDuplicates(error: unknown): boolean {
  if (!(error instanceof MongoBulkWriteError)) return false;
  const refusals = [error.writeErrors].flat();
  return refusals.length > 0 && refusals.every(({ code }) => code === duplicateKey);
}

/** The unique index that refused the write. What follows its name in the message was chosen by the caller. */
export function violatedIndex(error: Error): string | undefined {
  return /index: (\S+)/.exec(error.message)?.[1];
}

/**
 * An upsert that inserts is refused where another one has inserted meanwhile. Made again it finds that one, and
 * waits until it is durable.
 */
export async function repeatIfDuplicate<T>(upsert: () => Promise<T>): Promise<T> {
  try {
    return await upsert();
  } catch (error) {
    if (!isDuplicateKey(error)) throw error;
    return await upsert();
  }
}
