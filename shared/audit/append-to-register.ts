import { dependencyUnavailable } from "../errors.ts";
import type { AuditStore, RegisterEntry, RegisterNote } from "../ports/audit-store.ts";
import { linkEntry } from "./audit-chain.ts";

/** Each lost attempt is another process's entry; they come every few minutes from each. */
const maxAttempts = 50;

/** Adds at the end, wherever that is by then. A note that is there twice, since an answer was lost, does no harm. */
export async function appendToRegister(
  store: Pick<AuditStore, "lastOfRegister" | "appendToRegister">,
  note: RegisterNote,
): Promise<RegisterEntry> {
  for (let attempts = 0; attempts < maxAttempts; attempts += 1) {
    const entry = linkEntry(note, await store.lastOfRegister());
    if (await store.appendToRegister(entry)) return entry;
  }
  throw dependencyUnavailable("mongodb", new Error(`another entry came first ${maxAttempts} times`));
}
