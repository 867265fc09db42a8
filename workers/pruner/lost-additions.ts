import type { Ledger, LedgerRow, MarkedToken } from "../../shared/ports/ledger.ts";
import type { Clock } from "../../shared/ports/platform.ts";
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

const usualSteps: LostSteps = { rows: 10_000, tokens: 4_000 };

/**
 * What the ledger has a store hold, but for the rows that are there: their rules, and the tokens that bear their marks.
 * In bounded steps, in the order of the rows; each token is read by the range of rows that it falls in.
 */
export function createLostAdditions({ ledger, clock, names, steps = usualSteps }: LostDeps) {
  return async function* lostAdditions(isThere: (row: LedgerRow) => boolean): AsyncGenerator<Lost> {
    for await (const page of livePages()) {
      for (const group of groupsOf(page, isThere)) {
        yield* inSteps({ rows: group.length, additions: group.flatMap(rulesFor) });
        for await (const tokens of tokensOf(group)) {
          yield* inSteps({ rows: 0, additions: tokens.map((token) => revocationOf(token, names)) });
        }
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

  async function* tokensOf(rows: readonly LedgerRow[]): AsyncGenerator<readonly MarkedToken[]> {
    const eventIds = new Set(rows.map(({ eventId }) => eventId));
    const from = rows[0]?.eventId ?? "";
    const range = { from, to: rows.at(-1)?.eventId ?? from, limit: 2 * steps.tokens };
    const tokens = await ledger.listMarkedBetween({ ...range, expiresAfterMs: expiresAfterMs() });
    if (tokens !== null) yield tokens.filter(({ revokedBy }) => eventIds.has(revokedBy));
    else for (const eventId of eventIds) yield* tokensOfOne(eventId);
  }

  /** However many one event marked, and whatever its row says of it. */
  async function* tokensOfOne(eventId: string): AsyncGenerator<readonly MarkedToken[]> {
    let after: string | undefined;
    for (;;) {
      const place = after === undefined ? {} : { after };
      const page = { expiresAfterMs: expiresAfterMs(), limit: steps.tokens, ...place };
      const tokens = await ledger.listMarked([eventId], page);
      yield tokens;
      after = tokens.at(-1)?.jti;
      if (tokens.length < steps.tokens) return;
    }
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
