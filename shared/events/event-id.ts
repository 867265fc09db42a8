import { createHash } from "node:crypto";
import { heldSource, ownSource } from "./event.ts";

/**
 * The id under which the ledger knows an event: its own if it came from us, also if it was held. Two sources may use one
 * id, so anybody else's is a UUID of version 8 (RFC 9562 §5.8) made from both.
 */
export function ledgerIdOf(
  event: { readonly source: string; readonly id: string },
  namespace: string,
): string {
  const isOurs = event.source === ownSource(namespace) || event.source === heldSource(namespace);
  return isOurs ? event.id : uuidOf([event.source, event.id]);
}

/** The id of the own event that says that a session has ended: one, however often and by whomever it is said. */
export function sessionEndIdOf(sid: string): string {
  return ownIdOf("session-ended", sid);
}

/** The id of the own event that cuts a user off below the epoch that he was found with. */
export function reconciliationIdOf(userId: string, epoch: number): string {
  return ownIdOf("reconciled", userId, String(epoch));
}

/** The id of the own event that says that nobody may trust a signing key any more: one, by whomever it is said. */
export function keyRevocationIdOf(thumbprint: string): string {
  return ownIdOf("key-revoked", thumbprint);
}

/** Made from three names or more: an upstream event's is made from two, so nobody can choose a source and an id for it. */
function ownIdOf(kind: string, ...names: readonly [string, ...string[]]): string {
  return uuidOf(["quash", kind, ...names]);
}

function uuidOf(names: readonly string[]): string {
  const bytes = createHash("sha256").update(JSON.stringify(names)).digest().subarray(0, 16);
  bytes.writeUInt8((bytes.readUInt8(6) & 0x0f) | 0x80, 6);
  bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8);
  const hex = bytes.toString("hex");
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join("-");
}
