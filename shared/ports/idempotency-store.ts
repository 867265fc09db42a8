/**
 * The calls that were made under an Idempotency-Key, and what they were answered with, each until it expires: what has
 * expired counts as not there, whether or not it has been removed yet.
 *
 * - Writes are acknowledged by a majority and the journal.
 * - `begin` is one step: of several calls at once that find nothing, one begins.
 * - Errors: `dependency-unavailable` means "not known to have happened".
 */
export interface IdempotencyStore {
  /** Begins the call, unless it was begun before; a call of the same fingerprint that was abandoned is begun again. */
  begin(call: BeginningCall): Promise<CallBegun>;
  /** Keeps the answer; false when the call is not the holder's any more. */
  finish(id: string, holder: string, answer: KeptAnswer): Promise<boolean>;
  /** As if it had not been begun; nothing when it is not the holder's any more, or was finished. */
  release(id: string, holder: string): Promise<void>;
  /** Removes calls that expired before the time; how many went. */
  purge(expiredBeforeMs: number, limit: number): Promise<number>;
}

export interface BeginningCall {
  /** Of the actor and his key. */
  readonly id: string;
  /** Of everything that has to be the same. */
  readonly fingerprint: string;
  /** Who makes this one attempt. */
  readonly holder: string;
  readonly nowMs: number;
  /** Who began at or before that and has not finished is taken for dead. */
  readonly abandonedAtMs: number;
  readonly expiresAtMs: number;
}

export type CallBegun =
  /** `operation` is the same for every attempt at the call; `isRepeat`: an earlier one may have done all or part of it. */
  | { readonly state: "begun"; readonly operation: string; readonly isRepeat: boolean }
  | { readonly state: "other-call" }
  | { readonly state: "under-way" }
  | { readonly state: "answered"; readonly answer: KeptAnswer };

export interface KeptAnswer {
  readonly status: number;
  readonly location: string | null;
  readonly contentType: string | null;
  /** Text of the body; the detail of a problem. */
  readonly body: string;
  /** The slug, where the answer was a problem. */
  readonly problem: string | null;
}
