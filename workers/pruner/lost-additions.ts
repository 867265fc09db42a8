import type { Ledger, LedgerRow, MarkedToken } from "../../shared/ports/ledger.ts";
import type { Clock } from "../../shared/ports/platform.ts";
import { askAhead } from "../../shared/read-ahead.ts";
import { type Addition, clockErrorAllowedMs } from "../../shared/revocation/addition.ts";
import { additionsOf, type Names, rulesOfRow } from "../revoker/plan.ts";
import { revocationOf } from "../revoker/write-revocation.ts";

export interface LostDeps {
  readonly ledger: Pick<Ledger, "listLive" | "listMarked" | "listMarkedBetween">;
  readonly clock: Clock;
  readonly names: Names;
  readonly steps?: LostSteps;
}

/** What bounds the memory that a reading takes. */
export interface LostSteps {
  readonly rows: number;
  /** Read at once; the store is given as many in one call, and serves nobody else meanwhile. */
  readonly tokens: number;
}

export interface Lost {
  /** Rows that these additions begin with. */
  readonly rows: number;
  readonly additions: readonly Addition[];
}

const usualSteps: LostSteps = { rows: 25_000, tokens: 4_000 };
/** A server is not left without work while an answer of it is on its way and unpacked. */
const groupsAhead = 1;

/**
 * What the ledger has a store hold, but for the rows that are there: their rules, and the tokens that bear their marks.
 * In bounded steps, in the order of the rows; each token is read by the range of rows that it falls in.
 */
export function createLostAdditions({ ledger, clock, names, steps = usualSteps }: LostDeps) {
  return async function* lostAdditions(isThere: (row: LedgerRow) => boolean): AsyncGenerator<Lost> {
    for await (const page of livePages()) {
      for await (const { group, tokens } of askAhead(groupsOf(page, isThere), readTokens, groupsAhead)) {
        yield* inSteps({ rows: group.length, additions: group.flatMap(rulesFor) });
        if (tokens !== null) yield* inSteps(revocationsOf(tokens));
        else for (const row of group) yield* lostTokensOf(row);
      }
    }
  };

  async function* livePages(): AsyncGenerator<LedgerRow[]> {
    let after: string | undefined;
    for (;;) {
      const nowMs = clock.wallMs() - clockErrorAllowedMs;
      const place = after === undefined ? {} : { after };
      const page = await ledger.listLive({ nowMs, limit: steps.rows, ...place });
      if (page.length > 0) yield page;
      after = page.at(-1)?.eventId;
      if (page.length < steps.rows) return;
    }
  }

  /** Those that are not there, by how many tokens are noted for the rows from the first to the last of a group. */
  function groupsOf(page: readonly LedgerRow[], isThere: (row: LedgerRow) => boolean): LedgerRow[][] {
    const groups: LedgerRow[][] = [];
    let group: LedgerRow[] = [];
    let tokens = 0;
    for (const row of page) {
      if (group.length > 0 && tokens + row.tokensRevoked > steps.tokens) {
        groups.push(group);
        group = [];
        tokens = 0;
      }
      if (!isThere(row)) group.push(row);
      if (group.length > 0) tokens += row.tokensRevoked;
    }
    return group.length > 0 ? [...groups, group] : groups;
  }

  function rulesFor(row: LedgerRow): Addition[] {
    const untilMs = row.untilMs ?? clock.wallMs();
    return additionsOf(rulesOfRow(row), Math.ceil(untilMs / 1_000), names);
  }

  /** Null where there are more than the rows say. */
  async function readTokens(group: readonly LedgerRow[]) {
    const eventIds = new Set(group.map(({ eventId }) => eventId));
    const from = group[0]?.eventId ?? "";
    const range = { from, to: group.at(-1)?.eventId ?? from, limit: 2 * steps.tokens };
    const found = await ledger.listMarkedBetween({ ...range, expiresAfterMs: expiresAfterMs() });
    return { group, tokens: found?.filter(({ revokedBy }) => eventIds.has(revokedBy)) ?? null };
  }

  /** However many one event marked, and whatever its row says of it. */
  async function* lostTokensOf({ eventId }: LedgerRow): AsyncGenerator<Lost> {
    let after: string | undefined;
    for (;;) {
      const place = after === undefined ? {} : { after };
      const page = { expiresAfterMs: expiresAfterMs(), limit: steps.tokens, ...place };
      const tokens = await ledger.listMarked([eventId], page);
      yield* inSteps(revocationsOf(tokens));
      after = tokens.at(-1)?.jti;
      if (tokens.length < steps.tokens) return;
    }
  }

  function revocationsOf(tokens: readonly MarkedToken[]): Lost {
    return { rows: 0, additions: tokens.map((token) => revocationOf(token, names)) };
  }

  function* inSteps({ rows, additions }: Lost): Generator<Lost> {
    for (let at = 0; at < additions.length || at === 0; at += steps.tokens) {
      const step = { rows: at === 0 ? rows : 0, additions: additions.slice(at, at + steps.tokens) };
      if (step.rows > 0 || step.additions.length > 0) yield step;
    }
  }

  function expiresAfterMs(): number {
    return clock.wallMs() - clockErrorAllowedMs;
  }
}
