import { type AppError, dependencyUnavailable } from "../errors.ts";
import type { Announcement, FeedEntry, RepairStart, SyncAnswer, Written } from "../ports/revocation-store.ts";
import { cutOffRecordBytes, type PackedAdditions, tokenRecordBytes } from "../revocation/packed-additions.ts";
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

const streamId = /^\d{1,16}-\d{1,10}$/;

export function positionIn(reply: unknown): Position {
  const id = typeof reply === "string" ? reply : textIn(reply);
  if (!streamId.test(id)) throw unexpected("the reply is not a stream id");
  return positionOfStreamId(id);
}

/** Null is the reply of a script that found the store invalid. */
export function writtenIn(reply: unknown): Written | null {
  if (reply === null) return null;
  const [incarnation, head] = listIn(reply);
  return { incarnation: textIn(incarnation), position: positionIn(head) };
}

/** The answer to a sync, and the stream ids of what is in the feed and is none of our entries. */
export interface SyncReply {
  readonly answer: SyncAnswer;
  readonly foreign: readonly string[];
}

/**
 * What somebody else wrote into the feed is left out. No addition can go unseen by that: each of ours names the one
 * before it, and stands at or before the head.
 */
export function syncReplyIn(reply: unknown): SyncReply {
  const [incarnation, headId, listed, lifetime, staleness, covered] = listIn(reply);
  const head = positionIn(headId);
  const entries: FeedEntry[] = [];
  const foreign: string[] = [];
  for (const one of listIn(listed)) {
    const entry = feedEntryIn(one);
    if (entry !== null && entry.position <= head) entries.push(entry);
    else foreign.push(textIn(listIn(one)[0]));
  }
  const answer = {
    incarnation: textIn(incarnation) || null,
    isCovered: numberIn(covered) === 1,
    longest: { tokenLifetimeSeconds: numberIn(lifetime), maxStalenessMs: numberIn(staleness) },
    head,
    entries,
  };
  return { answer, foreign };
}

const feedFields = ["previous", "t", "u", "c"] as const;

/** Null for one that is not as the script `add` writes it. */
function feedEntryIn(reply: unknown): FeedEntry | null {
  const [id, listed] = listIn(reply);
  const parts = listIn(listed).map(bytesIn);
  const isOurs = parts.length === 8 && feedFields.every((name, at) => parts[at * 2]?.toString() === name);
  const [, previous, , tokens, , unrecordedTokens, , cutOffs] = parts;
  if (!isOurs || previous === undefined || !streamId.test(previous.toString())) return null;
  if (tokens === undefined || unrecordedTokens === undefined || cutOffs === undefined) return null;
  const additions = { tokens, unrecordedTokens, cutOffs };
  if (!isWhole(additions)) return null;
  return { position: positionIn(id), previous: positionIn(previous), additions };
}

const isWhole = ({ tokens, unrecordedTokens, cutOffs }: PackedAdditions): boolean =>
  tokens.length % tokenRecordBytes === 0 &&
  unrecordedTokens.length % tokenRecordBytes === 0 &&
  cutOffs.length % cutOffRecordBytes === 0;

/** Null is the reply of a script that found the lock in other hands. */
export function repairStartIn(reply: unknown, prefix: string): RepairStart | null {
  if (reply === null) return null;
  const [incarnation, head, at, unsound] = listIn(reply);
  return {
    incarnation: textIn(incarnation) || null,
    head: positionIn(head),
    atMs: numberIn(at),
    unsound: [...new Set(listIn(unsound).map((key) => textIn(key).slice(prefix.length)))],
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
  const parts = {
    tokens: bytes.subarray(0, tokens),
    unrecordedTokens: bytes.subarray(tokens, tokens + unrecorded),
    cutOffs: bytes.subarray(tokens + unrecorded),
  };
  if (!isWhole(parts)) throw unexpected("the announcement holds a broken record");
  return parts;
}
