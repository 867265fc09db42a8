import type { Ledger, LedgerRow, MarkedToken } from "../../shared/ports/ledger.ts";
import { type Addition, clockErrorAllowedMs } from "../../shared/revocation/addition.ts";
import { type Digests, digestsOf } from "../../shared/revocation/digest.ts";
import { type PackedAdditions, packAdditions } from "../../shared/revocation/packed-additions.ts";
import { generationSeconds } from "../../shared/revocation/retention.ts";
import { type PageQuery, pagesOf } from "../pages.ts";
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
  /** How many rows' rules it begins with. */
  readonly rows: number;
  readonly implied: readonly Implied[];
}

export interface LedgerContentsQuery {
  /** What expires before it is left out. */
  readonly nowMs: number;
  readonly includes?: (row: LedgerRow) => boolean;
  readonly sizes?: StepSizes;
}

/** What bounds the memory that a reading takes. */
export interface StepSizes {
  readonly rows: number;
  /** Of one step. A repair gives the store as many in one call, and it serves nobody else meanwhile. */
  readonly tokens: number;
}

const usualSizes: StepSizes = { rows: 25_000, tokens: 4_000 };

/**
 * All that the ledger has the store hold: the rules of its live rows, and the tokens that bear their marks. In bounded
 * steps, in the order of the rows; each token is read by the range of rows that it falls in.
 */
export async function* ledgerContents(
  { ledger, names }: LedgerContentsDeps,
  { nowMs, includes = () => true, sizes = usualSizes }: LedgerContentsQuery,
): AsyncGenerator<LedgerStep> {
  const readLive = (query: PageQuery) => ledger.listLive({ nowMs, ...query });
  for await (const page of pagesOf(sizes.rows, ({ eventId }) => eventId, readLive))
    for (const group of groupsOf(page, includes, sizes.tokens)) yield* stepsOf(group);

  /** In halves where the range holds too many, whoever marked them. */
  async function* stepsOf(group: readonly LedgerRow[]): AsyncGenerator<LedgerStep> {
    const tokens = await tokensOf(group);
    if (tokens === null && group.length > 1) {
      const middle = group.length >> 1;
      yield* stepsOf(group.slice(0, middle));
      yield* stepsOf(group.slice(middle));
      return;
    }
    const rules = group.flatMap((row) => rulesImplied(row, nowMs, names));
    yield* inSteps(rules, sizes.tokens, group.length);
    for await (const some of tokens === null ? markedBy(group[0]?.eventId ?? "") : [tokens])
      yield* inSteps(some.map(tokenImplied), sizes.tokens);
  }

  /** Null where more than twice as many lie in the range as one step has. */
  async function tokensOf(group: readonly LedgerRow[]): Promise<readonly MarkedToken[] | null> {
    const eventIds = new Set(group.map(({ eventId }) => eventId));
    const from = group[0]?.eventId ?? "";
    const range = { from, to: group.at(-1)?.eventId ?? from, limit: 2 * sizes.tokens };
    const found = await ledger.listMarkedBetween({ ...range, expiresAfterMs: nowMs });
    return found?.filter(({ revokedBy }) => eventIds.has(revokedBy)) ?? null;
  }

  /** However many it marked. */
  function markedBy(eventId: string): AsyncIterable<readonly MarkedToken[]> {
    const readMarked = (query: PageQuery) =>
      ledger.listMarked([eventId], { expiresAfterMs: nowMs, ...query });
    return pagesOf(sizes.tokens, ({ jti }) => jti, readMarked);
  }

  function tokenImplied(token: MarkedToken): Implied {
    return { eventId: token.revokedBy, addition: revocationOf(token, names) };
  }
}

/** Those included, by how many tokens are noted for the rows from the first to the last of a group. */
function groupsOf(
  page: readonly LedgerRow[],
  includes: (row: LedgerRow) => boolean,
  tokensAtMost: number,
): LedgerRow[][] {
  const groups: LedgerRow[][] = [];
  let group: LedgerRow[] = [];
  let tokens = 0;
  for (const row of page) {
    if (group.length > 0 && tokens + row.tokensRevoked > tokensAtMost) {
      groups.push(group);
      group = [];
      tokens = 0;
    }
    if (includes(row)) group.push(row);
    if (group.length > 0) tokens += row.tokensRevoked;
  }
  return group.length > 0 ? [...groups, group] : groups;
}

function rulesImplied(row: LedgerRow, nowMs: number, names: Names): Implied[] {
  const untilSeconds = Math.ceil((row.untilMs ?? nowMs) / 1_000);
  const { eventId } = row;
  return additionsOf(rulesOfRow(row), untilSeconds, names).map((addition) => ({ eventId, addition }));
}

function* inSteps(implied: readonly Implied[], size: number, rows = 0): Generator<LedgerStep> {
  for (let at = 0; at < implied.length || at === 0; at += size) {
    const step = { rows: at === 0 ? rows : 0, implied: implied.slice(at, at + size) };
    if (step.rows > 0 || step.implied.length > 0) yield step;
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
