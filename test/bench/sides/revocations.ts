import { type Blacklist, createBlacklist } from "../../../api/blacklist/blacklist.ts";
import { createPlatform } from "../../../shared/platform.ts";
import type { Clock } from "../../../shared/ports/platform.ts";
import { createFingerprinter } from "../../../shared/revocation/fingerprint.ts";
import { noAdditions, packAdditions, tokenRecordBytes } from "../../../shared/revocation/packed-additions.ts";
import { uuidOf, writeUuid } from "./names.ts";

/*
 * Tokens of an hour's lifetime, one after the other by number, spread evenly over the sixty minutes in which they expire.
 */
export const issuer = "https://quash.example";
export const minutes = 60;
export const startSeconds = 1_800_000_000;
const lifetimeSeconds = 3_600;

const firstSubject = 0x4000_0000;
const firstStranger = 0x8000_0000;
const recordsInChunk = 4_096;

export const expiryOf = (token: number) => startSeconds + (token % minutes) * 60 + 30;
export const subjectName = (subject: number) => uuidOf(firstSubject + subject);
/** So that every minute has as many. */
export const roundedUp = (entries: number) => Math.ceil(entries / minutes) * minutes;

const standStill = () => startSeconds * 1_000;
const standing: Clock = { wallMs: standStill, monotonicMs: standStill, bootMs: standStill };

export function createEmptyBlacklist(clock: Clock = standing): Blacklist {
  return createBlacklist({
    ...createPlatform(),
    clock,
    fingerprint: createFingerprinter(issuer),
    ownIssuer: issuer,
    longestLifetimeMs: () => 1,
  });
}

/** As a store gives them out: minute by minute, in chunks, saying how many are to come unless `isPresized` is false. */
export function fillBlacklist(blacklist: Blacklist, entries: number, isPresized = true): void {
  const inMinute = roundedUp(entries) / minutes;
  for (let minute = 0; minute < minutes; minute += 1) {
    for (let from = 0; from < inMinute; from += recordsInChunk) {
      const count = Math.min(recordsInChunk, inMinute - from);
      const tokens = packTokens(count, (at) => (from + at) * minutes + minute);
      blacklist.apply({ ...noAdditions, tokens }, isPresized ? inMinute : undefined);
    }
  }
}

/** Ending one after the other within the lifetime, so that they lie in every generation of it. */
export function cutOff(blacklist: Blacklist, subjects: number, untilOf = expiryOf): void {
  const fingerprint = createFingerprinter(issuer);
  for (let at = 0; at < subjects; at += 1) {
    const subject = fingerprint(issuer, subjectName(at));
    blacklist.apply(
      packAdditions([{ kind: "cut-off", subject, epoch: 1, notBefore: 0, until: untilOf(at) }]),
    );
  }
}

export function packTokens(count: number, numberAt: (at: number) => number, expOf = expiryOf): Buffer {
  const bytes = Buffer.alloc(count * tokenRecordBytes);
  for (let at = 0; at < count; at += 1) {
    const token = numberAt(at);
    writeUuid(token, bytes, at * tokenRecordBytes);
    bytes.writeUInt32BE(expOf(token), at * tokenRecordBytes + 16);
  }
  return bytes;
}

export function fillMap(entries: number): Map<string, number> {
  const map = new Map<string, number>();
  for (let token = 0; token < roundedUp(entries); token += 1) map.set(uuidOf(token), expiryOf(token));
  return map;
}

export function fillSet(entries: number): Set<string> {
  const set = new Set<string>();
  for (let token = 0; token < roundedUp(entries); token += 1) set.add(uuidOf(token));
  return set;
}

export interface Query {
  readonly iss: string;
  readonly sub: string;
  readonly jti: string;
  readonly iat: number;
  readonly exp: number;
  readonly epoch: number;
}

export interface Questions {
  readonly entries: number;
  readonly count: number;
  /** How many of a hundred ask for revoked tokens. */
  readonly hitPercent: number;
  readonly turn: number;
}

/** Verified tokens of users whom nobody has cut off; the same for every side in one turn. */
export function createQueries({ entries, count, hitPercent, turn }: Questions): Query[] {
  return Array.from({ length: count }, (_, at) => {
    const drawn = turn * count + at;
    const isHit = drawn % 100 < hitPercent;
    const number = isHit ? (Math.imul(drawn, 0x9e3779b1) >>> 0) % entries : firstStranger + drawn;
    const exp = expiryOf(number);
    return {
      iss: issuer,
      sub: uuidOf(firstStranger + 0x2000_0000 + drawn),
      jti: uuidOf(number),
      iat: exp - lifetimeSeconds,
      exp,
      epoch: 1,
    };
  });
}
