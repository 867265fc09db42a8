import type { Ledger, LedgerRow, MarkedToken } from "../../shared/ports/ledger.ts";
import { type Addition, clockErrorAllowedMs } from "../../shared/revocation/addition.ts";
import { type Digests, digestsOf } from "../../shared/revocation/digest.ts";
import { type PackedAdditions, packAdditions } from "../../shared/revocation/packed-additions.ts";
import { generationSeconds } from "../../shared/revocation/retention.ts";
import { additionsOf, type Names, rulesOfRow } from "../revoker/plan.ts";
import { revocationOf } from "../revoker/write-revocation.ts";

export interface LedgerContentsDeps {
  readonly ledger: Pick<Ledger, "listLive" | "listMarked" | "listMarkedBetween">;
  readonly names: Names;
}

/** What an event has the store hold. */
export interface Implied {
  readonly eventId: string;
  readonly addition: Addition;
}

export interface LedgerStep {
  /** Those that the step begins with. */
  readonly rows: number;
  readonly implied: readonly Implied[];
}

export interface LedgerContentsQuery {
  /** What expires before it is left out. */
  readonly nowMs: number;
  /** Until when the rules of a row hold that has no end yet; `nowMs` unless given. */
  readonly undatedUntilMs?: number;
  readonly includes?: (row: LedgerRow) => boolean;
  readonly sizes?: StepSizes;
}

/** What bounds the memory that a reading takes. */
export interface StepSizes {
  readonly rows: number;
  /** Read at once, and of one step. */
  readonly tokens: number;
}

const usualSizes: StepSizes = { rows: 25_000, tokens: 4_000 };

/**
 * All that the ledger has the store hold: the rules of its live rows, and the tokens that bear their marks. In bounded
 * steps, in the order of the rows; each token is read by the range of rows that it falls in.
 */
export async function* ledgerContents(
  { ledger, names }: LedgerContentsDeps,
  query: LedgerContentsQuery,
): AsyncGenerator<LedgerStep> {
  const { nowMs, undatedUntilMs = nowMs, includes = () => true, sizes = usualSizes } = query;

  for await (const page of livePages()) {
    for (const group of groupsOf(page)) {
      const tokens = await readTokens(group);
      yield* inSteps(group.flatMap(rulesImplied), group.length);
      if (tokens !== null) yield* inSteps(tokens.map(tokenImplied));
      else for (const row of group) yield* tokensImpliedBy(row);
    }
  }

  async function* livePages(): AsyncGenerator<LedgerRow[]> {
    let after: string | undefined;
    for (;;) {
      const place = after === undefined ? {} : { after };
      const page = await ledger.listLive({ nowMs, limit: sizes.rows, ...place });
      if (page.length > 0) yield page;
      after = page.at(-1)?.eventId;
      if (page.length < sizes.rows) return;
    }
  }

  /** Those included, by how many tokens are noted for the rows from the first to the last of a group. */
  function groupsOf(page: readonly LedgerRow[]): LedgerRow[][] {
    const groups: LedgerRow[][] = [];
    let group: LedgerRow[] = [];
    let tokens = 0;
    for (const row of page) {
      if (group.length > 0 && tokens + row.tokensRevoked > sizes.tokens) {
        groups.push(group);
        group = [];
        tokens = 0;
      }
      if (includes(row)) group.push(row);
      if (group.length > 0) tokens += row.tokensRevoked;
    }
    return group.length > 0 ? [...groups, group] : groups;
  }

  /** Null where there are more than the rows say. */
  async function readTokens(group: readonly LedgerRow[]): Promise<readonly MarkedToken[] | null> {
    const eventIds = new Set(group.map(({ eventId }) => eventId));
    const from = group[0]?.eventId ?? "";
    const range = { from, to: group.at(-1)?.eventId ?? from, limit: 2 * sizes.tokens };
    const found = await ledger.listMarkedBetween({ ...range, expiresAfterMs: nowMs });
    return found?.filter(({ revokedBy }) => eventIds.has(revokedBy)) ?? null;
  }

  /** However many it marked, and whatever it says of that. */
  async function* tokensImpliedBy({ eventId }: LedgerRow): AsyncGenerator<LedgerStep> {
    let after: string | undefined;
    for (;;) {
      const place = after === undefined ? {} : { after };
      const page = { expiresAfterMs: nowMs, limit: sizes.tokens, ...place };
      const tokens = await ledger.listMarked([eventId], page);
      yield* inSteps(tokens.map(tokenImplied));
      after = tokens.at(-1)?.jti;
      if (tokens.length < sizes.tokens) return;
    }
  }

  function* inSteps(implied: readonly Implied[], rows = 0): Generator<LedgerStep> {
    for (let at = 0; at < implied.length || at === 0; at += sizes.tokens) {
      const step = { rows: at === 0 ? rows : 0, implied: implied.slice(at, at + sizes.tokens) };
      if (step.rows > 0 || step.implied.length > 0) yield step;
    }
  }

  function rulesImplied(row: LedgerRow): Implied[] {
    const untilSeconds = Math.ceil((row.untilMs ?? undatedUntilMs) / 1_000);
    const { eventId } = row;
    return additionsOf(rulesOfRow(row), untilSeconds, names).map((addition) => ({ eventId, addition }));
  }

  function tokenImplied(token: MarkedToken): Implied {
    return { eventId: token.revokedBy, addition: revocationOf(token, names) };
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

async function* packed(steps: AsyncIterable<LedgerStep>): AsyncGenerator<PackedAdditions> {
  for await (const { implied } of steps) yield packAdditions(implied.map(({ addition }) => addition));
}
