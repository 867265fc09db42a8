import type { World } from "./world.ts";

/** Everything must have come to rest so long after the last fault: sessions, locks, leases and back-offs run out. */
const deadlineMs = 90_000;

/** Lets time pass until no event waits and every receipt is settled. */
export async function untilQuiet(world: World): Promise<void> {
  const startMs = world.nowMs;
  for (let untilMs = startMs + 1_000; untilMs <= startMs + deadlineMs; untilMs += 1_000) {
    await world.scheduler.runUntil(untilMs);
    if ((await whatIsOpen(world)).length === 0) return;
  }
  for (const what of await whatIsOpen(world)) world.history.violate("I6", world.nowMs, what);
}

async function whatIsOpen(world: World): Promise<string[]> {
  const { users, ledger } = world.database.connect();
  const open: string[] = [];
  if (world.log.lag > 0) open.push(`${world.log.lag} events are not committed`);
  if ((await users.countOutbox()) > 0) open.push("events wait in the outbox");
  // Where one instance accepts for an hour without a sync, a receipt may have to wait for that hour.
  const unsettled = world.plan.conditions.bestEffort === null ? ["pending", "applied"] : ["pending"];
  for (const { status, eventId } of await ledger.list({ limit: 10_000 })) {
    if (unsettled.includes(status)) open.push(`a row is ${status}: ${eventId}`);
  }
  const head = await world.store.primary.connect().readState();
  for (const { process, instance } of world.apis) {
    // One that accepts for an hour without a sync does so long before it has caught up.
    const { state, missing } = instance?.feed.freshness() ?? { state: "cold", missing: "store" };
    if (state !== "fresh" || missing !== null) open.push(`${process.name} is not fresh`);
    const { incarnation, position } = instance?.feed ?? {};
    if (incarnation !== head.incarnation || position !== head.head) open.push(`${process.name} is behind`);
  }
  return open;
}
