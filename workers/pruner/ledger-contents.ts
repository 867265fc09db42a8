import type { Ledger, LedgerRow } from "../../shared/ports/ledger.ts";
import { type Addition, clockErrorAllowedMs } from "../../shared/revocation/addition.ts";
import { type Digests, digestsOf } from "../../shared/revocation/digest.ts";
import { type PackedAdditions, packAdditions } from "../../shared/revocation/packed-additions.ts";
import { generationSeconds } from "../../shared/revocation/retention.ts";
import { additionsOf, type Names, rulesOfRow } from "../revoker/plan.ts";
import { revocationOf } from "../revoker/write-revocation.ts";

export interface LedgerContentsDeps {
  readonly ledger: Pick<Ledger, "listLive" | "listMarked">;
  readonly names: Names;
}

/** What an event has the store hold. */
export interface Implied {
  readonly eventId: string;
  readonly addition: Addition;
}

export interface LedgerContentsQuery {
  /** What expires before it is left out. */
  readonly nowMs: number;
  readonly includes?: (row: LedgerRow) => boolean;
  readonly pageSize?: number;
}

/** All that the ledger has the store hold, in bounded pages: the rules of its live rows, the tokens they marked. */
export async function* ledgerContents(
  deps: LedgerContentsDeps,
  { nowMs, includes = () => true, pageSize = 400 }: LedgerContentsQuery,
): AsyncGenerator<readonly Implied[]> {
  let after: string | undefined;
  for (;;) {
    const place = after === undefined ? {} : { after };
    const rows = await deps.ledger.listLive({ nowMs, limit: pageSize, ...place });
    const included = rows.filter(includes);
    if (included.length > 0) {
      yield included.flatMap((row) => rulesImplied(row, nowMs, deps.names));
      yield* tokensImplied(deps, included, { nowMs, pageSize });
    }
    after = rows.at(-1)?.eventId;
    if (rows.length < pageSize) return;
  }
}

/** Whether all that the row implies is known to have been in the store of that incarnation. */
export function isInStore(row: LedgerRow, incarnation: string): boolean {
  return row.status === "enforced" || (row.status === "applied" && row.incarnation === incarnation);
}

/** To be compared with those of the store and of the instances at the same `aliveAtMs`: see `digestsOf`. */
export function digestsOfLedger(deps: LedgerContentsDeps, aliveAtMs: number): Promise<Digests> {
  const nowMs = Math.max(0, aliveAtMs - generationSeconds * 1_000 - clockErrorAllowedMs);
  return digestsOf(packed(ledgerContents(deps, { nowMs })), aliveAtMs);
}

async function* packed(pages: AsyncIterable<readonly Implied[]>): AsyncGenerator<PackedAdditions> {
  for await (const page of pages) yield packAdditions(page.map(({ addition }) => addition));
}

function rulesImplied(row: LedgerRow, nowMs: number, names: Names): Implied[] {
  const untilSeconds = Math.ceil((row.untilMs ?? nowMs) / 1_000);
  const { eventId } = row;
  return additionsOf(rulesOfRow(row), untilSeconds, names).map((addition) => ({ eventId, addition }));
}

async function* tokensImplied(
  { ledger, names }: LedgerContentsDeps,
  rows: readonly LedgerRow[],
  { nowMs, pageSize }: { readonly nowMs: number; readonly pageSize: number },
): AsyncGenerator<Implied[]> {
  const eventIds = rows.map(({ eventId }) => eventId);
  let after: string | undefined;
  for (;;) {
    const place = after === undefined ? {} : { after };
    const tokens = await ledger.listMarked(eventIds, { expiresAfterMs: nowMs, limit: pageSize, ...place });
    if (tokens.length > 0) {
      yield tokens.map((token) => ({ eventId: token.revokedBy, addition: revocationOf(token, names) }));
    }
    after = tokens.at(-1)?.jti;
    if (tokens.length < pageSize) return;
  }
}
