import type { Clock } from "../../shared/ports/platform.ts";
import type { Repeats } from "./count-repeats.ts";

export interface ClientFailure {
  /** Null for an id that is no client's: nothing of what was sent is recorded, since it may be a secret. */
  readonly clientId: string | null;
  readonly requestId: string | undefined;
}

export type NoteClientFailure = (failure: ClientFailure) => void;

const rememberedMs = 5 * 60_000;

/** Of the failures of one client, and of nobody, the first and then a count; a client is the user of its id. */
export function createNoteClientFailure(repeats: Repeats, clock: Clock): NoteClientFailure {
  return function noteClientFailure({ clientId, requestId }) {
    const reason = clientId === null ? "unknown-client" : "client-authentication";
    const request = { action: "sign-in.failed", subject: clientId, reason, requestId } as const;
    repeats.note(`client ${clientId ?? ""}`, clock.wallMs() + rememberedMs, request);
  };
}
