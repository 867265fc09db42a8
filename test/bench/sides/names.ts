/** A small fast generator (splitmix32, after G. Steele et al., 2014): millions of names take no time. */
function wordOf(seed: number): number {
  let word = (seed + 0x9e3779b9) | 0;
  word = Math.imul(word ^ (word >>> 16), 0x21f0aaad);
  word = Math.imul(word ^ (word >>> 15), 0x735a2d97);
  return (word ^ (word >>> 15)) >>> 0;
}

/** Writes the bytes of the UUID with this number: the same for the same number, and different for any other. */
export function writeUuid(number: number, bytes: Buffer, at = 0): void {
  bytes.writeUInt32BE(wordOf(number), at);
  bytes.writeUInt32BE(wordOf(number ^ 0x5bd1e995), at + 4);
  bytes.writeUInt32BE(wordOf(number ^ 0x1b873593), at + 8);
  bytes.writeUInt32BE(wordOf(number ^ 0x2545f491), at + 12);
}

const scratch = Buffer.alloc(16);

/** As it comes out of a token: a text that nobody has hashed yet. */
export function uuidOf(number: number): string {
  writeUuid(number, scratch);
  const hex = scratch.toString("hex");
  const text = `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
  return Buffer.from(text, "latin1").toString("latin1");
}
