import type { Audit } from "../../shared/audit/audit.ts";
import type { Clock } from "../../shared/ports/platform.ts";
import type { Repeats } from "./count-repeats.ts";

export type SignInFailure = "unknown-user" | "wrong-password" | "not-active";

export interface SignInOutcome {
  /** Null for an address that is nobody's: nothing of what was sent is recorded, since it may be a password. */
  readonly subject: string | null;
  readonly failure: SignInFailure | null;
  readonly sid?: string;
  readonly requestId: string | undefined;
}

export type NoteSignIn = (outcome: SignInOutcome) => void;

const rememberedMs = 5 * 60_000;

/** A success is recorded each time; of the failures of one user, and of nobody, the first and then a count. */
export function createNoteSignIn({
  audit,
  repeats,
  clock,
}: {
  readonly audit: Audit;
  readonly repeats: Repeats;
  readonly clock: Clock;
}): NoteSignIn {
  return function noteSignIn({ subject, failure, sid, requestId }) {
    if (failure === null) {
      audit.record({ action: "sign-in.succeeded", actor: subject, subject, object: sid, requestId });
      return;
    }
    const request = { action: "sign-in.failed", subject, reason: failure, requestId } as const;
    repeats.note(`sign-in ${subject ?? ""} ${failure}`, clock.wallMs() + rememberedMs, request);
  };
}
