import type { Random } from "../support/random.ts";
import type { LinkState } from "./link.ts";
import type { FaultKind } from "./plan.ts";
import type { Member, World } from "./world.ts";

/** After a fault has ended, what it held up may take so long to catch up: sessions, locks and back-offs run out. */
const catchUpMs = 15_000;

/** Brings a fault about; what ends it is arranged with it. */
export function applyFault(world: World, kind: FaultKind, random: Random): void {
  const lastsMs = random.pick([300, 2_000, 6_000, 15_000]) * (0.5 + random.fraction());
  world.disturbedUntilMs = Math.max(world.disturbedUntilMs, world.nowMs + lastsMs + catchUpMs);
  world.trace(`fault ${kind} for ${Math.round(lastsMs)} ms`);
  apply(world, kind, { random, lastsMs });
}

interface Drawn {
  readonly random: Random;
  readonly lastsMs: number;
}

function apply(world: World, kind: FaultKind, { random, lastsMs }: Drawn): void {
  const member = random.pick(world.members);
  const after = (run: () => void) => void world.scheduler.after(lastsMs, run);
  switch (kind) {
    case "kill":
      return kill(world, member, lastsMs);
    case "kill-at-call":
      member.process.dieAtCall(random.integer(1, 30), random.pick(["before", "after"]));
      return;
    case "pause":
    case "suspend":
      return pause(world, member, { lastsMs, isSuspension: kind === "suspend" });
    case "link":
      return breakLink(world, random.chance(0.6) ? random.pick(world.apis) : member, { random, lastsMs });
    case "announcements":
      world.store.delivery.lost = random.fraction();
      world.store.delivery.doubled = random.fraction() / 2;
      return after(() => {
        world.store.delivery.lost = 0;
        world.store.delivery.doubled = 0;
      });
    case "wipe":
      return world.store.primary.wipe();
    case "restart-store":
      return world.store.primary.restart();
    case "fail-over":
      return world.store.primary.failOver({ loseLast: random.integer(0, 40) });
    case "split":
      return split(world, { random, lastsMs });
    case "trim":
      return trimPast(world, random.pick(world.apis));
    case "slow-start":
      return startSlowly(world, random.pick(world.apis), lastsMs);
    case "retention":
      world.log.deleteEventsBefore(world.logServer.clock.wallMs());
      world.lostEventsUntilMs = world.nowMs;
      return;
    case "store-away":
      world.store.primary.setAvailable(false);
      return after(() => world.store.primary.setAvailable(true));
    case "database-away":
      world.database.setAvailable(false);
      return after(() => world.database.setAvailable(true));
    case "log-away":
      world.log.setAvailable(false);
      return after(() => world.log.setAvailable(true));
    case "step-clock":
      return stepClock(world, member.process, { random, lastsMs });
    case "step-store-clock":
      return stepClock(world, world.storeServer, { random, lastsMs });
  }
}

function kill(world: World, member: Member, lastsMs: number): void {
  if (member.process.isDown) return;
  world.trace(`${member.process.name} is killed`);
  member.process.kill();
  world.scheduler.after(lastsMs, () => world.startProcess(member));
}

/** The moment in which an instance whose lease must have run out still accepts is short, if there is one. */
function huntAtEndOfLease(world: World, member: Member): void {
  const { maxStalenessMs, syncIntervalMs } = world.plan.conditions;
  world.hunt(member, { fromMs: maxStalenessMs - syncIntervalMs, toMs: maxStalenessMs + 1_000 });
}

/** An instance hears nothing until the feed no longer reaches back to where it stands; then it is slow to load. */
function trimPast(world: World, member: Member): void {
  const link = member.links.redis;
  const silentMs = world.plan.conditions.maxStalenessMs + 3_000;
  const loadingMs = 5_000;
  world.disturbedUntilMs = Math.max(world.disturbedUntilMs, world.nowMs + silentMs + loadingMs + catchUpMs);
  link.state = "half-open";
  huntAtEndOfLease(world, member);
  world.scheduler.after(silentMs, () => {
    if (world.isHealed) return;
    // Nothing to trim where the store is away.
    world.store.primary
      .connect()
      .trimFeed(0, 1_000)
      .catch(() => undefined);
    link.state = "late";
    world.hunt(member, { fromMs: 0, toMs: loadingMs });
  });
  world.scheduler.after(silentMs + loadingMs, () => {
    if (!world.isHealed) link.state = "up";
  });
}

/** A start over a line that is slow to answer: what happens meanwhile falls into the middle of the load. */
function startSlowly(world: World, member: Member, lastsMs: number): void {
  kill(world, member, 100);
  member.links.redis.state = "late";
  world.scheduler.after(Math.max(5_000, lastsMs), () => {
    if (!world.isHealed) member.links.redis.state = "up";
  });
}

function pause(
  world: World,
  { process }: Member,
  { lastsMs, isSuspension }: { lastsMs: number; isSuspension: boolean },
): void {
  if (!process.isUp) return;
  const { life } = process;
  world.trace(`${process.name} is paused`);
  process.pause();
  world.scheduler.after(lastsMs, () => {
    if (!process.isAlive(life) || process.isUp) return;
    if (isSuspension) process.noteSuspension(lastsMs);
    process.resume();
  });
}

/** One bad state, and often another one right after it: a late answer and then none, a healed link that breaks again. */
function breakLink(world: World, member: Member, { random, lastsMs }: Drawn): void {
  const { links, process } = member;
  const to = random.pick(["redis", "redis", "redis", "mongodb", "kafka"] as const);
  const states: readonly LinkState[] = [
    random.pick(["late", "slow", "lossy", "half-open", "cut"]),
    random.pick(["up", "up", "half-open", "cut", "late"]),
  ];
  const pastLeaseMs = world.plan.conditions.maxStalenessMs + 2_500;
  let delayMs = 0;
  for (const state of [...states, "up" as const]) {
    world.scheduler.after(delayMs, () => {
      if (world.isHealed) return;
      world.trace(`${process.name} to ${to} is ${state}`);
      links[to].state = state;
      if (to === "redis" && member.isApi && state !== "up") huntAtEndOfLease(world, member);
    });
    delayMs += random.chance(0.4) ? pastLeaseMs : lastsMs / 2;
  }
  world.disturbedUntilMs = Math.max(world.disturbedUntilMs, world.nowMs + delayMs + catchUpMs);
}

function split(world: World, { random, lastsMs }: Drawn): void {
  const followers = world.members.filter(() => random.chance(0.5)).map(({ process }) => process.name);
  const { lagMs } = world.plan.conditions;
  world.trace(`split, followed by ${followers.join(", ")}`);
  world.store.split(followers, { loseLast: random.integer(0, 20), lagMs });
  world.scheduler.after(lastsMs, () => world.store.heal());
}

function stepClock(
  world: World,
  process: { stepWall(ms: number): void; readonly name: string },
  { random, lastsMs }: Drawn,
): void {
  const ms = Math.round((random.fraction() * 2 - 1) * random.pick([1_000, 10_000, 100_000]));
  world.clocksWereStepped = true;
  world.trace(`the clock of ${process.name} steps by ${ms} ms`);
  process.stepWall(ms);
  world.scheduler.after(lastsMs, () => process.stepWall(-ms));
}

/** Ends every fault, and brings back who died. What is on its way goes on. */
export function healAll(world: World): void {
  world.isHealed = true;
  world.store.heal();
  world.store.delivery.lost = 0;
  world.store.delivery.doubled = 0;
  world.store.primary.setAvailable(true);
  world.database.setAvailable(true);
  world.log.setAvailable(true);
  for (const { process, links } of world.members) {
    for (const link of Object.values(links)) link.state = "up";
    process.spare();
    process.resume();
  }
  for (const member of world.members) world.startProcess(member);
}
