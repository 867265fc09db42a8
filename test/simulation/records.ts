import { createHash } from "node:crypto";
import type { PackedAdditions } from "../../shared/revocation/packed-additions.ts";

/*
 * Reads what the store and the instances hold with code of its own, from the layout that they promise to keep to. Times
 * are seconds.
 */

const tokenBytes = 20;
const cutOffBytes = 36;

export interface CutOffHeld {
  readonly epoch: Strictest;
  readonly notBefore: Strictest;
}

/** Of all that is held of one subject: the strictest, and how long one that is as strict is to last. */
export interface Strictest {
  readonly value: number;
  readonly until: number;
}

export const nothingCutOff: CutOffHeld = { epoch: { value: 0, until: 0 }, notBefore: { value: 0, until: 0 } };

/** What is enforced, by the names under which it lies there. */
export interface Held {
  readonly tokens: ReadonlyMap<string, number>;
  readonly unrecorded: ReadonlyMap<string, number>;
  readonly cutOffs: ReadonlyMap<string, CutOffHeld>;
}

export function heldIn(chunks: Iterable<PackedAdditions>): Held {
  const tokens = new Map<string, number>();
  const unrecorded = new Map<string, number>();
  const cutOffs = new Map<string, CutOffHeld>();
  for (const chunk of chunks) {
    readTokens(chunk.tokens, tokens);
    readTokens(chunk.unrecordedTokens, unrecorded);
    readCutOffs(chunk.cutOffs, cutOffs);
  }
  return { tokens, unrecorded, cutOffs };
}

/** A UUID of our own issuer stands for itself, anything else for its hash. */
export function nameOf(id: string, issuer: string | null = null): string {
  if (issuer === null && /^[0-9a-f-]{36}$/.test(id)) return id.replaceAll("-", "");
  const text = JSON.stringify([issuer ?? ownIssuer, id]);
  return createHash("sha256").update(text).digest("hex").slice(0, 32);
}

export const ownIssuer = "https://quash.example";

function readTokens(bytes: Uint8Array, into: Map<string, number>): void {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let at = 0; at < buffer.length; at += tokenBytes) {
    const name = buffer.toString("hex", at, at + 16);
    into.set(name, Math.max(into.get(name) ?? 0, buffer.readUInt32BE(at + 16)));
  }
}

function readCutOffs(bytes: Uint8Array, into: Map<string, CutOffHeld>): void {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let at = 0; at < buffer.length; at += cutOffBytes) {
    const subject = buffer.toString("hex", at, at + 16);
    const until = buffer.readUInt32BE(at + 32);
    const { epoch, notBefore } = into.get(subject) ?? nothingCutOff;
    into.set(subject, {
      epoch: stricter(epoch, { value: Number(buffer.readBigUInt64BE(at + 16)), until }),
      notBefore: stricter(notBefore, { value: Number(buffer.readBigUInt64BE(at + 24)), until }),
    });
  }
}

function stricter(a: Strictest, b: Strictest): Strictest {
  if (a.value !== b.value) return a.value > b.value ? a : b;
  return a.until > b.until ? a : b;
}
