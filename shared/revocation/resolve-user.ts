import type { QuashEvent } from "../events/event.ts";
import type { PendingRow } from "../ports/ledger.ts";
import type { User, UserStore } from "../ports/user-store.ts";

type Names = { readonly event: Pick<QuashEvent, "subject" | "details"> };

/** Whom an upstream event means: as it names him, or, where nobody bears that id, as another issuer does. */
export function createResolveUser(
  users: Pick<UserStore, "findById" | "findByExternalIdentity">,
  ownIssuer: string,
) {
  return async function resolveUser({ event }: Names): Promise<User | null> {
    const { external } = event.details;
    const user = event.subject === undefined ? null : await users.findById(event.subject);
    if (user !== null || external === undefined) return user;
    return external.iss === ownIssuer ? users.findById(external.sub) : users.findByExternalIdentity(external);
  };
}

/**
 * The row remembers whom the event was resolved to, since a deletion takes away the names that he was found by.
 * Of somebody unknown whom the event names in both ways it keeps the other issuer's: only tokens of others, which
 * carry no epoch, are cut off by time.
 */
export function rowOfUpstream(
  { event, pendingRow }: Names & { readonly pendingRow: PendingRow },
  user: User | null,
): PendingRow {
  if (user !== null) return { ...pendingRow, subject: user.id };
  return event.details.external === undefined ? pendingRow : { ...pendingRow, subject: null };
}
