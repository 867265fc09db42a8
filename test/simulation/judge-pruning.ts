import { heldIn } from "./records.ts";
import type { World } from "./world.ts";

/** Long after the last token nothing is left of it: not in the ledger, the store, an instance, nor of who is deleted. */
export async function judgePruning(world: World): Promise<void> {
  const { tokenLifetimeSeconds, refreshLifetimeSeconds, bestEffort } = world.plan.conditions;
  // A receipt is not forgotten before it is settled: an instance that accepts for an hour may hold it up so long.
  const settlesWithinMs = bestEffort === null ? 0 : 80 * 60_000;
  const idleMs = settlesWithinMs + tokenLifetimeSeconds * 1_000 * 2 + 24 * 60_000;
  await world.scheduler.runUntil(world.nowMs + idleMs);
  const violate = (what: string) => world.history.violate("I9", world.nowMs, what);
  const { users, sessions, ledger } = world.database.connect();
  const rows = await ledger.list({ limit: 10_000 });
  if (rows.length > 0) violate(`${rows.length} rows are left in the ledger`);
  for (const jti of world.records.keys()) {
    if ((await sessions.findToken(jti)) !== null) violate(`token ${jti} is left in the database`);
  }
  const sids = new Set([...world.records.values()].map(({ sid }) => sid));
  const areSessionsOver = refreshLifetimeSeconds * 1_000 < idleMs - 10 * 60_000;
  for (const sid of areSessionsOver ? sids : []) {
    if ((await sessions.findSession(sid)) !== null) violate(`session ${sid} is left in the database`);
  }
  for (const id of world.userIds) {
    if ((await users.findById(id))?.status === "deleted") violate(`tombstone ${id} is left in the database`);
  }
  const copies = [
    ["the store", world.store.primary.records()] as const,
    ...world.apis.map(
      ({ process, instance }) => [process.name, instance?.blacklist.records() ?? []] as const,
    ),
  ];
  for (const [name, records] of copies) {
    const { tokens, unrecorded, cutOffs } = heldIn(records);
    const left = tokens.size + unrecorded.size + cutOffs.size;
    if (left > 0) violate(`${name} holds ${left} revocations that match nothing any more`);
  }
}
