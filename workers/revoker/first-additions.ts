import type { Addition } from "../../shared/revocation/addition.ts";
import { additionsOf, type Names } from "./plan.ts";
import type { ReceivedEvent } from "./received-event.ts";

/**
 * What an own event says by itself: its cut-off, or the one token with the expiry that was recorded. It goes to the
 * store before MongoDB is asked for anything. An upstream event says nothing by itself: its epoch is not decided.
 */
export function firstAdditions({ event, isOwn }: ReceivedEvent, nowMs: number, names: Names): Addition[] {
  if (!isOwn) return [];
  const { epoch, jti, exp, sid, external } = event.details;
  const additions: Addition[] = [];
  if (jti !== undefined && exp !== undefined && external === undefined) {
    additions.push({ kind: "token", token: names.fingerprint(names.ownIssuer, jti), exp });
  }
  if (event.type === "token.revoked" || sid !== undefined) return additions;
  const cutOff = {
    subject: event.subject ?? null,
    external: null,
    jti: null,
    epoch: epoch ?? null,
    notBefore: null,
    unrecorded: false,
  };
  return [...additions, ...additionsOf(cutOff, Math.ceil(nowMs / 1_000), names)];
}
