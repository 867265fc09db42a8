import { AppError } from "../../shared/errors.ts";
import type { Fence, Ledger, LedgerRow, MarkedToken } from "../../shared/ports/ledger.ts";
import type { Clock } from "../../shared/ports/platform.ts";
import type { RevocationStore, Written } from "../../shared/ports/revocation-store.ts";
import {
  type Addition,
  clockErrorAllowedMs,
  type TokenRevocation,
} from "../../shared/revocation/addition.ts";
import { additionsOf, type Names, type Plan } from "./plan.ts";
import { createTokensToWrite } from "./tokens-to-write.ts";

/** Called between the steps of long work; rejects when the work is no longer ours. */
export type Heartbeat = () => Promise<void>;

export interface WriteDeps {
  readonly ledger: Ledger;
  readonly store: Pick<RevocationStore, "add">;
  readonly clock: Clock;
  readonly names: Names;
  readonly markStep?: number;
  readonly addStep?: number;
}

/** The event's own cut-off or token, written before MongoDB was asked, and what the store answered. */
export interface First {
  readonly additions: readonly Addition[];
  readonly written: Written;
}

export interface WriteRequest {
  readonly row: Pick<LedgerRow, "eventId" | "appliedAtMs">;
  readonly plan: Plan;
  /** What was written of it before; undefined when nothing was. */
  readonly first: First | undefined;
  readonly heartbeat: Heartbeat;
}

/**
 * How much is done between two heartbeats: also by a server that needs ten milliseconds for each token it is well
 * within the time for which a silent worker keeps its partitions.
 */
const steps = { mark: 400, add: 400 } as const;

/**
 * Brings one decided revocation into the store and notes it in the ledger:
 * its rules to the store -> marks -> the marked tokens to the store -> row, with incarnation and position -> fence.
 * The order is the proof: whoever changes the incarnation writes the fence first and reads the ledger afterwards, so either he reads this row, or this reads
 * his fence. When the answers and the fence differ, throws `store-invalid`; when the row was purged meanwhile,
 * `dependency-unavailable`: then all of it is to be done again.
 */
export function createWriteRevocation(deps: WriteDeps) {
  const { ledger, store, clock, names, markStep = steps.mark, addStep = steps.add } = deps;
  const tokensToWrite = createTokensToWrite({ ledger, clock, pageSize: addStep });

  return async function writeRevocation({ row, plan, first, heartbeat }: WriteRequest): Promise<LedgerNote> {
    const { eventId } = row;
    const writes: Written[] = first === undefined ? [] : [first.written];
    const rules = rulesUntil(plan, clock.wallMs()).filter((rule) => !isIn(first, rule));
    if (first === undefined || rules.length > 0) writes.push(await store.add(rules));
    const [{ longest }] = await Promise.all([validFence(), mark(eventId, plan, heartbeat)]);
    const [lastExpiryMs, tokens] = await Promise.all([
      lastExpiryOf(plan),
      writeTokens(eventId, plan, heartbeat),
    ]);
    const horizonMs = clock.wallMs() + longest.tokenLifetimeSeconds * 1_000;
    if (lastExpiryMs > horizonMs) {
      writes.push(await store.add(rulesUntil(plan, lastExpiryMs), { extend: true }));
    }
    const { incarnation, position } = sameIncarnation([...writes, ...tokens.writes]);

    const note = {
      subject: plan.subject,
      epoch: plan.epoch,
      notBefore: plan.notBefore,
      unrecorded: plan.unrecorded,
      untilMs: Math.max(horizonMs, lastExpiryMs, tokens.lastExpiryMs),
      appliedAtMs: row.appliedAtMs ?? clock.wallMs(),
      incarnation,
      position,
      tokensRevoked: tokens.ownMarks,
    };
    if (!(await ledger.noteApplied(eventId, note))) throw rowGone();
    if ((await validFence()).incarnation !== incarnation) throw incarnationChanged();
    return note;
  };

  /** The store keeps them for the longest lifetime in use, whatever `untilMs` is. */
  function rulesUntil(plan: Plan, untilMs: number): Addition[] {
    const rules = additionsOf(plan, seconds(untilMs), names);
    return plan.namedToken === null ? rules : [...rules, plan.namedToken];
  }

  async function mark(eventId: string, plan: Plan, heartbeat: Heartbeat): Promise<void> {
    for (const selection of plan.marksMore ? plan.marks : []) {
      let marked: number;
      do {
        // A clock that is behind ours still accepts what has expired here.
        const nowMs = clock.wallMs() - clockErrorAllowedMs;
        marked = await ledger.markTokens(eventId, { ...selection, nowMs }, markStep);
        if (marked > 0) await heartbeat();
      } while (marked >= markStep);
    }
  }

  /** What is named is written already. */
  async function writeTokens(eventId: string, plan: Plan, heartbeat: Heartbeat) {
    const writes: Written[] = [];
    let lastExpiryMs = 0;
    let ownMarks = 0;
    for await (const tokens of tokensToWrite(eventId, plan)) {
      for (const { expiresAtMs } of tokens) lastExpiryMs = Math.max(lastExpiryMs, expiresAtMs);
      ownMarks += tokens.filter(({ revokedBy }) => revokedBy === eventId).length;
      const additions = tokens
        .map((token) => revocationOf(token, names))
        .filter(({ token }) => token !== plan.namedToken?.token);
      if (additions.length === 0) continue;
      writes.push(await store.add(additions));
      await heartbeat();
    }
    return { writes, lastExpiryMs, ownMarks };
  }

  async function lastExpiryOf({ subject, epoch }: Plan): Promise<number> {
    if (subject === null || epoch === null) return 0;
    return (await ledger.lastExpiryMs(subject)) ?? 0;
  }

  async function validFence(): Promise<Fence & { incarnation: string }> {
    const fence = await ledger.readFence();
    if (fence?.incarnation == null) throw incarnationChanged();
    return { ...fence, incarnation: fence.incarnation };
  }
}

export type WriteRevocation = ReturnType<typeof createWriteRevocation>;
export type LedgerNote = Parameters<Ledger["noteApplied"]>[1];

function sameIncarnation(writes: readonly Written[]): Written {
  const [last] = writes.toSorted((a, b) => (a.position < b.position ? 1 : -1));
  if (last === undefined || writes.some(({ incarnation }) => incarnation !== last.incarnation)) {
    throw incarnationChanged();
  }
  return last;
}

export function incarnationChanged(): AppError {
  return new AppError("store-invalid", "The store's incarnation is not the one that the ledger expects.");
}

function rowGone(): AppError {
  return new AppError(
    "dependency-unavailable",
    "The event's row was purged while it was applied; try again.",
  );
}

export function revocationOf({ jti, expiresAtMs }: MarkedToken, names: Names): TokenRevocation {
  const token = names.fingerprint(names.ownIssuer, jti);
  return { kind: "token", token, exp: seconds(expiresAtMs) };
}

/** Its own cut-off needs no comparing: the store kept the one with the event's epoch for as long as it must. */
function isIn(first: First | undefined, rule: Addition): boolean {
  const additions = first?.additions ?? [];
  return additions.some((added) => {
    if (added.kind === "token")
      return rule.kind === "token" && added.token === rule.token && added.exp === rule.exp;
    return added.kind === "cut-off" && rule.kind === "cut-off";
  });
}

function seconds(ms: number): number {
  return Math.ceil(ms / 1_000);
}
