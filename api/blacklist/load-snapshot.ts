import { AppError } from "../../shared/errors.ts";
import type { RevocationStore } from "../../shared/ports/revocation-store.ts";
import type { Blacklist } from "./blacklist.ts";
import type { FeedPlace } from "./feed-cursor.ts";

export interface LoadSnapshotDeps {
  readonly store: Pick<RevocationStore, "readState" | "load">;
  readonly blacklist: Blacklist;
  /** Rejects when the answer takes too long. */
  readonly inTime: <T>(answer: Promise<T>) => Promise<T>;
}

/**
 * Merges the whole contents, and answers with the place that the feed is to be followed from: the head as it was before
 * the first read, so that additions made meanwhile are met again rather than missed. Throws `store-invalid` unless
 * the store had one and the same incarnation before and after; what was merged by then stays.
 */
export async function loadSnapshot({ store, blacklist, inTime }: LoadSnapshotDeps): Promise<FeedPlace> {
  const { incarnation, head } = await inTime(store.readState());
  if (incarnation === null) throw storeInvalid();
  const chunks = store.load()[Symbol.asyncIterator]();
  for (let next = await inTime(chunks.next()); next.done !== true; next = await inTime(chunks.next())) {
    blacklist.apply(next.value, next.value.bucketRecords);
  }
  const after = await inTime(store.readState());
  if (after.incarnation !== incarnation) throw storeInvalid();
  return { incarnation, position: head };
}

const storeInvalid = () => new AppError("store-invalid", "The revocation store is being repaired.");
