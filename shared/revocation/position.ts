/**
 * A place in the feed: the store's stream id `<milliseconds>-<sequence>`, each part padded to a fixed width so
 * that the order of the texts is the order of the positions.
 */
export type Position = string & { readonly __brand: "Position" };

const millisecondsWidth = 16;
const sequenceWidth = 10;
const pattern = /^\d{16}-\d{10}$/;

export function createPosition(milliseconds: number | string, sequence: number | string): Position {
  const text = `${String(milliseconds).padStart(millisecondsWidth, "0")}-${String(sequence).padStart(sequenceWidth, "0")}`;
  return parsePosition(text);
}

/** Before every addition. */
export const origin: Position = createPosition(0, 0);

/** Throws a `TypeError` on anything that is not a position. */
export function parsePosition(text: unknown): Position {
  if (typeof text !== "string" || !pattern.test(text)) throw new TypeError(`not a position: ${String(text)}`);
  return text as Position;
}

/** From a Redis stream id, such as `1732398000000-0`. */
export function positionOfStreamId(id: string): Position {
  const [milliseconds = "", sequence = "0"] = id.split("-");
  return createPosition(milliseconds, sequence);
}

export function streamIdOfPosition(position: Position): string {
  const [milliseconds = "0", sequence = "0"] = position.split("-");
  return `${BigInt(milliseconds)}-${BigInt(sequence)}`;
}

/** When it was given, by the store's clock. */
export function millisecondsOf(position: Position): number {
  return Number(position.slice(0, millisecondsWidth));
}
