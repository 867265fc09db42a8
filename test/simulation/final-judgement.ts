import { boundMs } from "../../shared/revocation/bound.ts";
import { differingBuckets, digestsOf } from "../../shared/revocation/digest.ts";
import { longestOfAny } from "../../shared/revocation/longest.ts";
import { digestsOfLedger } from "../../workers/pruner/ledger-contents.ts";
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

/** Every token at every instance, and every event. */
export async function judgeEnd(world: World, clients: Clients): Promise<void> {
  await judgeEvents(world);
  await judgeTokens(world, clients);
  await judgeConvergence(world);
  const { replaysLog, withPruning } = world.plan.conditions;
  if (replaysLog) await judgeReplay(world, clients);
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

/** Every instance, the store and the ledger hold the same. */
async function judgeConvergence(world: World): Promise<void> {
  const clocks = [world.storeServer, ...world.members.map(({ process }) => process)];
  const aliveAtMs = Math.max(...clocks.map(({ clock }) => clock.wallMs()));
  const { ledger } = world.database.connect();
  const truth = await digestsOfLedger({ ledger, names: world.names }, aliveAtMs);
  const copies = [
    ["the store", world.store.primary.connect().load()] as const,
    ...world.apis.flatMap(({ process, instance }) =>
      instance === undefined ? [] : [[process.name, instance.blacklist.records()] as const],
    ),
  ];
  for (const [name, contents] of copies) {
    const differing = differingBuckets(truth, await digestsOf(contents, aliveAtMs));
    if (differing.length === 0) continue;
    world.history.violate("I6", world.nowMs, `${name} is not what the ledger is: ${differing.join(", ")}`);
  }
}

/** The same log once more: nobody's state moves, and nobody else is hit. */
async function judgeReplay(world: World, clients: Clients): Promise<void> {
  const before = await statesOf(world);
  const eventLog = world.log.connect();
  for (const { key, value, headers } of world.log.read("events")) {
    const sent = Object.fromEntries(
      Object.entries(headers).map(([name, bytes]) => [
        name,
        Buffer.from(bytes instanceof Uint8Array ? bytes : []),
      ]),
    );
    await eventLog.publish("events", [{ key, value, headers: sent }]);
  }
  await untilQuiet(world);
  const after = await statesOf(world);
  if (after !== before) world.history.violate("I8", world.nowMs, `states moved from ${before} to ${after}`);
  await judgeTokens(world, clients);
}

async function statesOf(world: World): Promise<string> {
  const { users } = world.database.connect();
  const states = await Promise.all(world.userIds.map((id) => users.findById(id)));
  return states.map((user) => `${user?.status} ${user?.epoch}`).join(", ");
}

/** Long after the last token: nothing is left of it. */
async function judgePruning(world: World): Promise<void> {
  const { tokenLifetimeSeconds, bestEffort } = world.plan.conditions;
  // A receipt that waits for an instance which accepts for an hour is kept until it has settled.
  const settlingMs = bestEffort === null ? 0 : boundMs(longestOfAny.maxStalenessMs);
  const idleMs = tokenLifetimeSeconds * 1_000 * 2 + 22 * 60_000 + settlingMs;
  await world.scheduler.runUntil(world.nowMs + idleMs);
  const { ledger } = world.database.connect();
  const rows = await ledger.list({ limit: 10_000 });
  if (rows.length > 0) world.history.violate("I9", world.nowMs, `${rows.length} rows are left in the ledger`);
  const contents: number[] = [];
  for await (const { tokens, cutOffs } of world.store.primary.connect().load()) {
    contents.push(tokens.length + cutOffs.length);
  }
  if (contents.some((bytes) => bytes > 0)) world.history.violate("I9", world.nowMs, "revocations are left");
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
