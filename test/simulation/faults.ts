import type { Random } from "../support/random.ts";
import { breakLink, type Drawn, loadSlowly, loseInstance, trimPast } from "./link-faults.ts";
import type { Member } from "./member.ts";
import type { FaultKind } from "./plan.ts";
import type { SimProcess } from "./sim-process.ts";
import type { World } from "./world.ts";

/** Brings a fault about; what ends it is arranged with it. */
export function applyFault(world: World, kind: FaultKind, random: Random): void {
  const lengths = world.isLull ? [2_000, 15_000, 120_000, 400_000] : [300, 2_000, 6_000, 15_000];
  const lastsMs = random.pick(lengths) * (0.5 + random.fraction());
  world.trace(`fault ${kind} for ${Math.round(lastsMs)} ms`);
  apply(world, kind, { random, lastsMs });
}

function apply(world: World, kind: FaultKind, drawn: Drawn): void {
  const { random, lastsMs } = drawn;
  const member = random.pick(world.members);
  switch (kind) {
    case "kill":
      return kill(world, member, lastsMs);
    case "kill-at-call":
      member.process.dieAtCall(random.integer(1, 30), random.pick(["before", "after"]));
      return;
    case "pause":
      return pause(world, member, { lastsMs, how: "stopped" });
    case "suspend":
      return pause(world, member, { lastsMs, how: "suspended" });
    case "link":
      return breakLink(world, random.chance(0.6) ? random.pick(world.apis) : member, drawn);
    case "link-to-log":
      return breakLink(world, member, { ...drawn, to: "kafka" });
    case "announcements":
      return spoilAnnouncements(world, drawn);
    case "wipe":
      return world.store.wipe();
    case "lose-instance":
      return loseInstance(world, random.pick(world.apis), lastsMs);
    case "restart-store":
      return world.store.restart();
    case "fail-over":
      return world.store.failOver(random.integer(0, 40));
    case "split":
      return split(world, drawn);
    case "interrupted-event":
      return interruptEvent(world, drawn);
    case "trim":
      return trimPast(world, random.pick(world.apis));
    case "slow-start":
      return startSlowly(world, random.pick(world.apis), lastsMs);
    case "retention":
      return random.chance(0.5) ? retentionRunsOut(world) : loseInterrupted(world, drawn);
    case "store-away":
      return world.engines.store.goAwayFor(lastsMs);
    case "database-away":
      return world.engines.database.goAwayFor(lastsMs);
    case "log-away":
      return world.engines.log.goAwayFor(lastsMs);
    case "step-clock":
      return stepClock(world, member.process, drawn);
    case "step-store-clock":
      return stepClock(world, world.storeServer, drawn);
  }
}

function kill(world: World, member: Member, lastsMs: number): void {
  if (member.process.isDown) return;
  world.trace(`${member.process.name} is killed`);
  member.process.kill();
  world.scheduler.after(lastsMs, () => world.startProcess(member));
}

function startSlowly(world: World, member: Member, lastsMs: number): void {
  kill(world, member, 100);
  loadSlowly(world, member, lastsMs);
}

function pause(
  world: World,
  { process }: Member,
  { lastsMs, how }: { lastsMs: number; how: "stopped" | "suspended" },
): void {
  if (!process.isUp) return;
  const { life } = process;
  world.trace(`${process.name} is ${how}`);
  process.pause(how);
  world.scheduler.after(lastsMs, () => {
    if (process.isAlive(life)) process.resume();
  });
}

function spoilAnnouncements(world: World, { random, lastsMs }: Drawn): void {
  const { delivery } = world.store;
  delivery.lost = random.fraction();
  delivery.doubled = random.fraction() / 2;
  world.scheduler.after(lastsMs, () => {
    delivery.lost = 0;
    delivery.doubled = 0;
  });
}

function split(world: World, { random, lastsMs }: Drawn): void {
  const followers = world.members.filter(() => random.chance(0.5)).map(({ process }) => process.name);
  const { lagMs } = world.plan.conditions;
  world.trace(`split, followed by ${followers.join(", ")}`);
  world.store.split(followers, { loseLast: random.integer(0, 20), lagMs });
  world.scheduler.after(lastsMs, () => world.store.heal());
}

/** A worker stands still between two things that it writes of one event, and the store becomes another one. */
function interruptEvent(world: World, { random }: Drawn): void {
  const worker = random.pick(world.members.filter(({ isApi }) => !isApi));
  const how = random.pick(["wipe", "fail-over"] as const);
  const act = () => {
    pause(world, worker, { lastsMs: 3_000 + random.fraction() * 6_000, how: "stopped" });
    world.trace(`${how} between what ${worker.process.name} writes`);
    if (how === "wipe") world.store.wipe();
    else world.store.failOver(random.integer(1, 10));
  };
  world.interruptions.set(worker.process.name, { after: "tokens-marked", act });
}

function retentionRunsOut(world: World): void {
  world.trace("retention takes the events");
  world.log.deleteEventsBefore(world.logServer.clock.wallMs());
  world.lostEventsUntilMs = world.nowMs;
}

/** A worker dies between what it writes of an event, and nobody will read that one again. */
function loseInterrupted(world: World, { random, lastsMs }: Drawn): void {
  const worker = random.pick(world.members.filter(({ isApi }) => !isApi));
  const act = () => {
    kill(world, worker, lastsMs);
    retentionRunsOut(world);
  };
  world.interruptions.set(worker.process.name, { after: "user-shut-out", act });
}

function stepClock(world: World, process: SimProcess, { random, lastsMs }: Drawn): void {
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
  world.interruptions.clear();
  for (const engine of Object.values(world.engines)) engine.comeBack();
  for (const { process, links } of world.members) {
    for (const link of Object.values(links)) link.state = "up";
    process.spare();
    process.resume();
  }
  for (const member of world.members) world.startProcess(member);
}
