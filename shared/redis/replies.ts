import { type AppError, dependencyUnavailable } from "../errors.ts";
import type {
  Announcement,
  FeedEntry,
  InstancesView,
  RegisteredInstance,
  RepairStart,
  StoreState,
  SyncAnswer,
  Written,
} from "../ports/revocation-store.ts";
import type { PackedAdditions } from "../revocation/packed-additions.ts";
import { type Position, positionOfStreamId } from "../revocation/position.ts";

/** Another program writes under our keys, or the server is none that we know. */
function unexpected(what: string): AppError {
  return dependencyUnavailable("redis", new TypeError(what));
}

export function listIn(reply: unknown): readonly unknown[] {
  if (!Array.isArray(reply)) throw unexpected("the reply is not a list");
  return reply;
}

export function bytesIn(reply: unknown): Buffer {
  if (!Buffer.isBuffer(reply)) throw unexpected("the reply is not a text");
  return reply;
}

export function textIn(reply: unknown): string {
  return bytesIn(reply).toString("utf8");
}

export function numberIn(reply: unknown): number {
  const number = typeof reply === "number" ? reply : Number(textIn(reply));
  if (!Number.isFinite(number)) throw unexpected("the reply is not a number");
  return number;
}

function positionIn(reply: unknown): Position {
  const id = typeof reply === "string" ? reply : textIn(reply);
  if (!/^\d{1,16}-\d{1,10}$/.test(id)) throw unexpected("the reply is not a stream id");
  return positionOfStreamId(id);
}

/** Null is the reply of a script that found the store invalid. */
export function writtenIn(reply: unknown): Written | null {
  if (reply === null) return null;
  const [incarnation, head] = listIn(reply);
  return { incarnation: textIn(incarnation), position: positionIn(head) };
}

export function syncAnswerIn(reply: unknown): SyncAnswer {
  const [incarnation, head, entries] = listIn(reply);
  return {
    incarnation: textIn(incarnation) || null,
    head: positionIn(head),
    entries: listIn(entries).map(feedEntryIn),
  };
}

function feedEntryIn(reply: unknown): FeedEntry {
  const [id, parts] = listIn(reply);
  const [, previous, , tokens, , unrecordedTokens, , cutOffs] = listIn(parts);
  return {
    position: positionIn(id),
    previous: positionIn(previous),
    additions: {
      tokens: bytesIn(tokens),
      unrecordedTokens: bytesIn(unrecordedTokens),
      cutOffs: bytesIn(cutOffs),
    },
  };
}

/** Null is the reply of a script that found the lock in other hands. */
export function repairStartIn(reply: unknown): RepairStart | null {
  if (reply === null) return null;
  const [incarnation, head] = listIn(reply);
  return { incarnation: textIn(incarnation) || null, head: positionIn(head) };
}

export function instancesViewIn(reply: unknown): InstancesView {
  const [incarnation, since, first, head, lifetime, staleness, now, ...pairs] = listIn(reply);
  const state: StoreState = {
    incarnation: textIn(incarnation) || null,
    incarnationSinceMs: numberIn(since),
    isFirstIncarnation: textIn(first) === "1",
    head: positionIn(head),
    longest: { tokenLifetimeSeconds: numberIn(lifetime), maxStalenessMs: numberIn(staleness) },
    storeTimeMs: numberIn(now),
  };
  const instances: RegisteredInstance[] = [];
  for (let at = 0; at + 1 < pairs.length; at += 2) {
    instances.push(instanceIn(textIn(pairs[at]), textIn(pairs[at + 1])));
  }
  return { ...state, instances };
}

function instanceIn(id: string, text: string): RegisteredInstance {
  const [incarnation, position = "", maxStaleness, entries, count, lastSync, signedOff] = text.split(" ");
  return {
    id,
    incarnation: incarnation === "-" ? null : (incarnation ?? null),
    position: positionIn(position),
    maxStalenessMs: Number(maxStaleness),
    entries: Number(entries),
    syncCount: Number(count),
    lastSyncAtMs: Number(lastSync),
    signedOffAtMs: signedOff === "-" ? null : Number(signedOff),
  };
}

/** As the script `add` writes it: a line of lengths, positions and the incarnation, then the packed parts. */
export function announcementIn(message: Buffer): Announcement {
  const headerEnd = message.indexOf("\n");
  const [tokens, unrecorded, cutOffs, previous = "", position = "", ...incarnation] = message
    .toString("utf8", 0, Math.max(0, headerEnd))
    .split(" ");
  const lengths = [tokens, unrecorded, cutOffs].map(Number);
  return {
    incarnation: incarnation.join(" "),
    previous: positionIn(previous),
    position: positionIn(position),
    additions: partsIn(message.subarray(headerEnd + 1), lengths),
  };
}

function partsIn(
  bytes: Buffer,
  [tokens = 0, unrecorded = 0, cutOffs = 0]: readonly number[],
): PackedAdditions {
  if (tokens + unrecorded + cutOffs !== bytes.length) throw unexpected("the announcement is cut short");
  return {
    tokens: bytes.subarray(0, tokens),
    unrecordedTokens: bytes.subarray(tokens, tokens + unrecorded),
    cutOffs: bytes.subarray(tokens + unrecorded),
  };
}
