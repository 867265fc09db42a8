import { tokenRecordBytes } from "../../../shared/revocation/packed-additions.ts";
import { uuidOf, writeUuid } from "./names.ts";

export const issuer = "https://quash.example";
/** Tokens of the usual lifetime, issued over the usual lifetime: that many minutes have a bucket. */
export const minutes = 15;
export const startSeconds = 1_800_000_000;

export const expiryOf = (token: number) => startSeconds + 900 + (token % (minutes * 60));

const firstSubject = 0x4000_0000;
const firstStranger = 0x8000_0000;

export const tokenName = (token: number) => uuidOf(token);
export const subjectName = (subject: number) => uuidOf(firstSubject + subject);

/** Tokens `from` up to `to`, packed as they come from the store. */
export function packTokens(from: number, to: number, numberAt = (at: number) => at): Buffer {
  const bytes = Buffer.alloc((to - from) * tokenRecordBytes);
  for (let at = from; at < to; at += 1) {
    const token = numberAt(at);
    writeUuid(token, bytes, (at - from) * tokenRecordBytes);
    bytes.writeUInt32BE(expiryOf(token), (at - from) * tokenRecordBytes + 16);
  }
  return bytes;
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
  /** How many of them are revoked. */
  readonly isHit: boolean;
  readonly turn: number;
}

/** As verified tokens come in, of users whom nobody has cut off; the same questions for every side in one turn. */
export function createQueries({ entries, count, isHit, turn }: Questions): Query[] {
  return Array.from({ length: count }, (_, at) => {
    const drawn = turn * count + at;
    const token = isHit ? Math.imul(drawn, 0x9e3779b1) >>> 0 : firstStranger + drawn;
    const number = isHit ? token % entries : token;
    const exp = expiryOf(number);
    return {
      iss: issuer,
      sub: uuidOf(firstStranger + 0x2000_0000 + drawn),
      jti: uuidOf(number),
      iat: exp - 900,
      exp,
      epoch: 1,
    };
  });
}
