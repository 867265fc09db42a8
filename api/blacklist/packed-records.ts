import {
  cutOffRecordBytes,
  type PackedAdditions,
  tokenRecordBytes,
} from "../../shared/revocation/packed-additions.ts";
import type { FingerprintWords } from "./fingerprint-words.ts";

export interface CutOffRecord {
  epoch: number;
  notBefore: number;
  until: number;
}

/** Throws a `RangeError` when a part is not a whole number of records. */
export function checkRecords({ tokens, unrecordedTokens, cutOffs }: PackedAdditions): void {
  const isWhole =
    tokens.length % tokenRecordBytes === 0 &&
    unrecordedTokens.length % tokenRecordBytes === 0 &&
    cutOffs.length % cutOffRecordBytes === 0;
  if (!isWhole) throw new RangeError("a packed part holds a broken record");
}

/** Calls `visit` for each record of a token, with its fingerprint in `words`. Makes nothing per record. */
export function readTokens(
  bytes: Uint8Array,
  words: FingerprintWords,
  visit: (seconds: number) => void,
): void {
  const view = viewOf(bytes);
  for (let at = 0; at < view.byteLength; at += tokenRecordBytes) {
    readWords(view, at, words);
    visit(view.getUint32(at + 16));
  }
}

/** Null where there is no record. */
export function firstExpiryIn(tokens: Uint8Array): number | null {
  return tokens.length === 0 ? null : viewOf(tokens).getUint32(16);
}

/** Calls `visit` for each cut-off, with the subject's fingerprint in `words`; the record is the same one each time. */
export function readCutOffs(
  bytes: Uint8Array,
  words: FingerprintWords,
  visit: (record: Readonly<CutOffRecord>) => void,
): void {
  const view = viewOf(bytes);
  const record: CutOffRecord = { epoch: 0, notBefore: 0, until: 0 };
  for (let at = 0; at < view.byteLength; at += cutOffRecordBytes) {
    readWords(view, at, words);
    record.epoch = uint64(view, at + 16);
    record.notBefore = uint64(view, at + 24);
    record.until = view.getUint32(at + 32);
    visit(record);
  }
}

/** The records of tokens that `isWanted` chooses, copied. */
export function chooseTokens(
  bytes: Uint8Array,
  words: FingerprintWords,
  isWanted: (seconds: number) => boolean,
): Uint8Array {
  let at = -tokenRecordBytes;
  const chosen: Uint8Array[] = [];
  readTokens(bytes, words, (seconds) => {
    at += tokenRecordBytes;
    if (isWanted(seconds)) chosen.push(bytes.subarray(at, at + tokenRecordBytes));
  });
  return Buffer.concat(chosen);
}

/** The cut-offs that `isWanted` chooses, copied. */
export function chooseCutOffs(
  bytes: Uint8Array,
  words: FingerprintWords,
  isWanted: (record: Readonly<CutOffRecord>) => boolean,
): Uint8Array {
  let at = -cutOffRecordBytes;
  const chosen: Uint8Array[] = [];
  readCutOffs(bytes, words, (record) => {
    at += cutOffRecordBytes;
    if (isWanted(record)) chosen.push(bytes.subarray(at, at + cutOffRecordBytes));
  });
  return Buffer.concat(chosen);
}

function readWords(view: DataView, at: number, words: FingerprintWords): void {
  for (let word = 0; word < 4; word += 1) words[word] = view.getUint32(at + word * 4);
}

const uint64 = (view: DataView, at: number) => view.getUint32(at) * 2 ** 32 + view.getUint32(at + 4);

const viewOf = (bytes: Uint8Array) => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
