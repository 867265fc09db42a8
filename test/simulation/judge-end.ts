import type { Clients } from "./clients.ts";
import { judgeConvergence } from "./judge-convergence.ts";
import { judgePruning } from "./judge-pruning.ts";
import { judgeReplay } from "./judge-replay.ts";
import { isInnocent, mustDie } from "./model.ts";
import type { World } from "./world.ts";

/** Every token at every instance, and every event; then what only shows later. */
export async function judgeEnd(world: World, clients: Clients): Promise<void> {
  await judgeEvents(world);
  await judgeTokens(world, clients);
  await judgeConvergence(world);
  const { replaysLog, withPruning } = world.plan.conditions;
  if (replaysLog) {
    await judgeReplay(world);
    await judgeTokens(world, clients);
    await judgeConvergence(world);
  }
  if (withPruning) await judgePruning(world);
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
    const isInLog = killer.by.kind === "upstream" || killer.isPublished === true;
    if (isInLog && killer.sentAtMs <= world.lostEventsUntilMs) continue;
    if (isAccepted && eventId !== null && !history.appliedAtMs.has(eventId)) {
      history.violate("I2", nowMs, `event ${eventId} was accepted and never applied`);
    }
  }
  const dead = world.log.read("dead-letters").map(({ value }) => Buffer.from(value ?? []).toString());
  for (const [id, publishedAtMs] of world.poisons) {
    if (publishedAtMs <= world.lostEventsUntilMs) continue;
    if (!dead.some((text) => text.includes(id))) {
      history.violate("I2", nowMs, `poison ${id} is no dead letter`);
    }
  }
}

async function judgeTokens(world: World, clients: Clients): Promise<void> {
  const { users } = world.database.connect();
  const applied = world.history.killers.filter((killer) => {
    const eventId = world.history.eventIdOf(killer);
    return eventId !== null && world.history.appliedAtMs.has(eventId);
  });
  for (const token of world.history.tokens) {
    const user = await users.findById(token.user);
    // An event that was never applied is judged by itself: retention may have taken it.
    const isDead =
      user?.status !== "active" || applied.some((killer) => mustDie(token, killer, world.history));
    const mustLive = isInnocent(token, world.history);
    for (const member of world.apis) {
      const answering = clients.probes.probe(member, token.jti).catch(() => null);
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
