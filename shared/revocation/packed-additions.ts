import type { Addition } from "./addition.ts";
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
  const tokens: Buffer[] = [];
  const unrecordedTokens: Buffer[] = [];
  const cutOffs: Buffer[] = [];
  for (const addition of additions) {
    if (addition.kind === "token") tokens.push(packTokenRecord(addition.token, addition.exp));
    else if (addition.kind === "unrecorded-token") {
      unrecordedTokens.push(packTokenRecord(addition.token, addition.until));
    } else cutOffs.push(packCutOffRecord(addition));
  }
  return {
    tokens: Buffer.concat(tokens),
    unrecordedTokens: Buffer.concat(unrecordedTokens),
    cutOffs: Buffer.concat(cutOffs),
  };
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

function packTokenRecord(token: Fingerprint, seconds: number): Buffer {
  const record = Buffer.alloc(tokenRecordBytes);
  record.write(token, 0, "hex");
  record.writeUInt32BE(seconds, 16);
  return record;
}

function packCutOffRecord(cutOff: Extract<Addition, { kind: "cut-off" }>): Buffer {
  const record = Buffer.alloc(cutOffRecordBytes);
  record.write(cutOff.subject, 0, "hex");
  record.writeBigUInt64BE(BigInt(cutOff.epoch), 16);
  record.writeBigUInt64BE(BigInt(cutOff.notBefore), 24);
  record.writeUInt32BE(cutOff.until, 32);
  return record;
}

function fingerprintAt(bytes: Uint8Array, at: number): Fingerprint {
  return parseFingerprint(Buffer.from(bytes.buffer, bytes.byteOffset + at, 16).toString("hex"));
}

function viewOf(bytes: Uint8Array, recordBytes: number): DataView {
  if (bytes.byteLength % recordBytes !== 0) throw new RangeError("a packed part holds a broken record");
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
