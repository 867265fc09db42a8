import type { Clients } from "./client.ts";
import { isInnocent, mustDie } from "./model.ts";
import type { World } from "./world.ts";

/** Everything must have come to rest so long after the last fault: sessions, locks, leases and back-offs run out. */
const deadlineMs = 90_000;
/** From the acceptance of an own event up to its being applied, when what it needs is there. */
const promptMs = 5_000;

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
  for (const { process, instance } of world.apis) {
    if (!instance?.feed.isAccepting()) open.push(`${process.name} does not accept`);
  }
  return open;
}

/** Every token at every instance, and every event. */
export async function judgeEnd(world: World, clients: Clients): Promise<void> {
  await judgeEvents(world);
  await judgeTokens(world, clients);
  world.trace(`end: ${world.history.tokens.length} tokens, ${world.history.killers.length} killers`);
}

async function judgeEvents(world: World): Promise<void> {
  const { history, nowMs } = world;
  for (const killer of history.killers) {
    const eventId = history.eventIdOf(killer);
    const isAccepted = killer.ackAtMs !== null && killer.ackAtMs !== Infinity;
    if (isAccepted && eventId === null && killer.by.kind !== "session") {
      history.violate("I2", nowMs, `an accepted ${killer.by.kind} has no event`);
    }
    if (isAccepted && eventId !== null && !history.appliedAtMs.has(eventId)) {
      history.violate("I2", nowMs, `event ${eventId} was accepted and never applied`);
    }
  }
  const dead = world.log.read("dead-letters").map(({ value }) => Buffer.from(value ?? []).toString());
  for (const id of world.poisons) {
    if (!dead.some((text) => text.includes(id))) {
      history.violate("I2", nowMs, `poison ${id} is no dead letter`);
    }
  }
}

async function judgeTokens(world: World, clients: Clients): Promise<void> {
  const { users } = world.database.connect();
  for (const token of world.history.tokens) {
    const user = await users.findById(token.user);
    const isDead =
      user?.status !== "active" ||
      world.history.killers.some((killer) => mustDie(token, killer, world.history));
    const mustLive = isInnocent(token, world.history);
    for (const member of world.apis) {
      const answering = clients.probe(member, token.jti).catch(() => null);
      await world.scheduler.runUntil(world.nowMs + 500);
      const status = (await answering)?.status;
      const where = `token ${token.jti} at ${member.process.name} is answered with ${status}`;
      if (isDead && status === 200) world.history.violate("I6", world.nowMs, `dead, but ${where}`);
      const isExpired = token.expiresAtMs < member.process.clock.wallMs();
      if (mustLive && !isDead && !isExpired && status !== 200 && !world.clocksWereStepped) {
        world.history.violate("I4", world.nowMs, `innocent, but ${where}`);
      }
    }
  }
}

/** While nothing is disturbed, an accepted event is applied soon. */
export function judgePromptness(world: World): void {
  const { history, scheduler } = world;
  const look = () => {
    for (const killer of history.killers) {
      const { ackAtMs, by } = killer;
      if (ackAtMs === null || by.kind === "upstream") continue;
      const eventId = history.eventIdOf(killer);
      const dueMs = ackAtMs + promptMs;
      const isJustDue = dueMs <= scheduler.nowMs && dueMs > scheduler.nowMs - 250;
      if (!isJustDue || eventId === null || world.disturbedUntilMs > ackAtMs) continue;
      if (!history.appliedAtMs.has(eventId)) {
        history.violate("I1b", scheduler.nowMs, `event ${eventId} was accepted ${promptMs} ms ago`);
      }
    }
    scheduler.after(250, look);
  };
  scheduler.after(250, look);
}
