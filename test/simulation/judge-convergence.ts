import type { LedgerRow } from "../../shared/ports/ledger.ts";
import { type Held, heldIn, nameOf, nothingCutOff } from "./records.ts";
import type { World } from "./world.ts";

/** What every copy has to hold now, and what none may hold. */
interface Truth {
  readonly tokens: ReadonlySet<string>;
  readonly innocentTokens: ReadonlySet<string>;
  readonly unrecorded: ReadonlySet<string>;
  readonly cutOffs: ReadonlyMap<string, LeastCutOff>;
  /** By subject: no cut-off may reach further. */
  readonly epochs: ReadonlyMap<string, number>;
}

interface LeastCutOff {
  readonly epoch: number;
  readonly notBefore: number;
}

/** Every instance and the store hold what the ledger says, and nothing that could hit an innocent. */
export async function judgeConvergence(world: World): Promise<void> {
  const truth = await truthOf(world);
  const copies = [
    ["the store", world.store.primary.records()] as const,
    ...world.apis.flatMap(({ process, instance }) =>
      instance === undefined ? [] : [[process.name, instance.blacklist.records()] as const],
    ),
  ];
  for (const [name, records] of copies) {
    for (const what of differences(truth, heldIn(records))) {
      world.history.violate("I6", world.nowMs, `${name} ${what}`);
    }
  }
}

/** Of what has expired by the clock that is ahead nothing is said: each copy drops it in its own time. */
async function truthOf(world: World): Promise<Truth> {
  const { ledger, sessions } = world.database.connect();
  const aliveMs = world.wallMs.latest;
  const rows = (await ledger.list({ limit: 10_000 })).filter(
    ({ status, untilMs }) => /applied|enforced/.test(status) && untilMs !== null && untilMs > aliveMs,
  );
  const recorded = await Promise.all([...world.records.keys()].map((jti) => sessions.findToken(jti)));
  const alive = recorded.filter((token) => token !== null).filter(({ expiresAtMs }) => expiresAtMs > aliveMs);
  const namesOf = (tokens: typeof alive) => new Set(tokens.map(({ jti }) => nameOf(jti)));
  return {
    tokens: namesOf(alive.filter(({ revokedBy }) => revokedBy !== null)),
    innocentTokens: namesOf(alive.filter(({ revokedBy }) => revokedBy === null)),
    unrecorded: new Set(
      rows.flatMap(({ unrecorded, jti, external }) =>
        unrecorded && jti !== null ? nameOf(jti, external?.iss) : [],
      ),
    ),
    cutOffs: cutOffsOf(rows),
    epochs: new Map([...world.states.values()].map(({ id, epoch }) => [nameOf(id), epoch])),
  };
}

function cutOffsOf(rows: readonly LedgerRow[]): Map<string, LeastCutOff> {
  const least = new Map<string, LeastCutOff>();
  for (const { type, sid, subject, external, ...row } of rows) {
    if (type === "token.revoked" || sid !== null) continue;
    const name = subject === null ? nameOf(external?.sub ?? "", external?.iss) : nameOf(subject);
    const { epoch, notBefore } = least.get(name) ?? { epoch: 0, notBefore: 0 };
    least.set(name, {
      epoch: Math.max(epoch, row.epoch ?? 0),
      notBefore: Math.max(notBefore, row.notBefore ?? 0),
    });
  }
  return least;
}

function differences(truth: Truth, { tokens, unrecorded, cutOffs }: Held): string[] {
  const found: string[] = [];
  for (const name of truth.tokens) if (!tokens.has(name)) found.push(`lacks token ${name}`);
  for (const name of truth.unrecorded) if (!unrecorded.has(name)) found.push(`lacks unrecorded ${name}`);
  for (const name of truth.innocentTokens) if (tokens.has(name)) found.push(`holds innocent ${name}`);
  for (const [name, least] of truth.cutOffs) {
    const { epoch, notBefore } = cutOffs.get(name) ?? nothingCutOff;
    if (epoch.value < least.epoch) found.push(`cuts ${name} off below ${epoch.value}, not ${least.epoch}`);
    if (notBefore.value < least.notBefore) found.push(`cuts ${name} off up to too early a time`);
  }
  for (const [name, { epoch }] of cutOffs) {
    const isTooFar = epoch.value > (truth.epochs.get(name) ?? 0);
    if (isTooFar) found.push(`cuts ${name} off below ${epoch.value}, which is too far`);
  }
  return found;
}
