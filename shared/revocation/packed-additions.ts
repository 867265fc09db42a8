import type { Addition, CutOff, TokenRevocation, UnrecordedTokenRevocation } from "./addition.ts";
import { type Fingerprint, parseFingerprint } from "./fingerprint.ts";

/**
 * Additions as they lie in the store and travel to the instances: fixed-size records, big-endian.
 *
 * token, unrecorded token: 16 bytes fingerprint, 4 bytes seconds (`exp` or `until`).
 * cut-off: 16 bytes fingerprint of the subject, 8 bytes epoch, 8 bytes notBefore seconds, 4 bytes until seconds.
 */
export interface PackedAdditions {
  readonly tokens: Uint8Array;
  readonly unrecordedTokens: Uint8Array;
  readonly cutOffs: Uint8Array;
}

export const tokenRecordBytes = 20;
export const cutOffRecordBytes = 36;

const nothing = new Uint8Array(0);
export const noAdditions: PackedAdditions = { tokens: nothing, unrecordedTokens: nothing, cutOffs: nothing };

export function packAdditions(additions: readonly Addition[]): PackedAdditions {
  const tokens: TokenRevocation[] = [];
  const unrecordedTokens: UnrecordedTokenRevocation[] = [];
  const cutOffs: CutOff[] = [];
  for (const addition of additions) {
    if (addition.kind === "token") tokens.push(addition);
    else if (addition.kind === "cut-off") cutOffs.push(addition);
    else unrecordedTokens.push(addition);
  }
  return {
    tokens: packAll(tokens, tokenRecordBytes, (bytes, at, { token, exp }) => {
      writeTokenRecord(bytes, at, token, exp);
    }),
    unrecordedTokens: packAll(unrecordedTokens, tokenRecordBytes, (bytes, at, { token, until }) => {
      writeTokenRecord(bytes, at, token, until);
    }),
    cutOffs: packAll(cutOffs, cutOffRecordBytes, writeCutOffRecord),
  };
}

/** In one piece of memory: there may be very many. */
function packAll<T>(
  some: readonly T[],
  recordBytes: number,
  write: (bytes: Buffer, at: number, one: T) => void,
): Uint8Array {
  const bytes = Buffer.alloc(some.length * recordBytes);
  for (const [index, one] of some.entries()) write(bytes, index * recordBytes, one);
  return bytes;
}

/** Throws a `RangeError` when a part is not a whole number of records. */
export function unpackAdditions(packed: PackedAdditions): Addition[] {
  const additions: Addition[] = [];
  for (const [token, exp] of tokenRecords(packed.tokens)) additions.push({ kind: "token", token, exp });
  for (const [token, until] of tokenRecords(packed.unrecordedTokens)) {
    additions.push({ kind: "unrecorded-token", token, until });
  }
  const cutOffs = viewOf(packed.cutOffs, cutOffRecordBytes);
  for (let at = 0; at < cutOffs.byteLength; at += cutOffRecordBytes) {
    additions.push({
      kind: "cut-off",
      subject: fingerprintAt(packed.cutOffs, at),
      epoch: Number(cutOffs.getBigUint64(at + 16)),
      notBefore: Number(cutOffs.getBigUint64(at + 24)),
      until: cutOffs.getUint32(at + 32),
    });
  }
  return additions;
}

function* tokenRecords(bytes: Uint8Array): Generator<[token: Fingerprint, seconds: number]> {
  const view = viewOf(bytes, tokenRecordBytes);
  for (let at = 0; at < view.byteLength; at += tokenRecordBytes) {
    yield [fingerprintAt(bytes, at), view.getUint32(at + 16)];
  }
}

function writeTokenRecord(bytes: Buffer, at: number, token: Fingerprint, seconds: number): void {
  bytes.write(token, at, "hex");
  bytes.writeUInt32BE(seconds, at + 16);
}

function writeCutOffRecord(bytes: Buffer, at: number, { subject, epoch, notBefore, until }: CutOff): void {
  bytes.write(subject, at, "hex");
  writeUint64(bytes, at + 16, epoch);
  writeUint64(bytes, at + 24, notBefore);
  bytes.writeUInt32BE(until, at + 32);
}

/** Without a bigint for each: there may be very many. */
function writeUint64(bytes: Buffer, at: number, value: number): void {
  if (!Number.isInteger(value)) throw new RangeError("a number of a cut-off is no whole number");
  bytes.writeUInt32BE(Math.floor(value / 2 ** 32), at);
  bytes.writeUInt32BE(value >>> 0, at + 4);
}

function fingerprintAt(bytes: Uint8Array, at: number): Fingerprint {
  return parseFingerprint(Buffer.from(bytes.buffer, bytes.byteOffset + at, 16).toString("hex"));
}

function viewOf(bytes: Uint8Array, recordBytes: number): DataView {
  if (bytes.byteLength % recordBytes !== 0) throw new RangeError("a packed part holds a broken record");
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
