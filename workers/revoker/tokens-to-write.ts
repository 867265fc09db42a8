import type { Ledger, MarkedToken } from "../../shared/ports/ledger.ts";
import type { Clock } from "../../shared/ports/platform.ts";
import { clockErrorAllowedMs } from "../../shared/revocation/addition.ts";
import { type PageQuery, pagesOf } from "../pages.ts";
import type { Plan, Selection } from "./plan.ts";

export interface TokensToWriteDeps {
  readonly ledger: Pick<Ledger, "listMarked" | "listMarkedByOthers">;
  readonly clock: Clock;
  readonly pageSize: number;
}

/**
 * The recorded tokens that the store must hold before an event counts as applied, once all that it means are marked:
 * those that bear its own mark, and those that another event marked first. Whoever handles that one may have died, or
 * given it up, before they reached the store.
 */
export function createTokensToWrite({ ledger, clock, pageSize }: TokensToWriteDeps) {
  const pages = (read: (query: PageQuery) => Promise<MarkedToken[]>) =>
    pagesOf(pageSize, ({ jti }: MarkedToken) => jti, read);

  return async function* tokensToWrite(eventId: string, plan: Plan): AsyncGenerator<readonly MarkedToken[]> {
    const nowMs = clock.wallMs() - clockErrorAllowedMs;
    const ofEvent = { expiresAfterMs: nowMs, ...subjectsOf(plan) };
    yield* pages((query) => ledger.listMarked([eventId], { ...ofEvent, ...query }));
    for (const selection of plan.marks.filter((one) => isOnlyInMarks(one, plan))) {
      yield* pages((query) => ledger.listMarkedByOthers(eventId, { ...selection, nowMs }, query));
    }
  };
}

/** Known where every selection is of one. What another attempt marked was of the same. */
function subjectsOf({ subject, marks }: Plan): { readonly subjects?: readonly string[] } {
  const isOfSubject = marks.length > 0 && marks.every(({ by }) => by === "epoch" || by === "issued-at");
  return isOfSubject && subject !== null ? { subjects: [subject] } : {};
}

/** What the event's cut-off or its named token covers is in the store already. */
function isOnlyInMarks({ by }: Selection, { namedToken }: Plan): boolean {
  return by !== "epoch" && (by !== "jti" || namedToken === null);
}
