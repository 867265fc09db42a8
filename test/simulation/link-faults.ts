import type { Random } from "../support/random.ts";
import type { LinkState } from "./link.ts";
import type { Member } from "./member.ts";
import type { World } from "./world.ts";

export interface Drawn {
  readonly random: Random;
  readonly lastsMs: number;
}

type Engine = "redis" | "mongodb" | "kafka";

/** One bad state, and often another one right after it: a late answer and then none, a healed link that breaks again. */
export function breakLink(
  world: World,
  member: Member,
  { random, lastsMs, to }: Drawn & { to?: Engine },
): void {
  const { links, process } = member;
  const engine = to ?? random.pick(["redis", "redis", "redis", "mongodb", "kafka"] as const);
  const states: readonly LinkState[] = [
    random.pick(["late", "slow", "lossy", "half-open", "cut"]),
    random.pick(["up", "up", "half-open", "cut", "late"]),
  ];
  const pastLeaseMs = world.plan.conditions.maxStalenessMs + 2_500;
  let delayMs = 0;
  for (const state of [...states, "up" as const]) {
    world.scheduler.after(delayMs, () => {
      if (world.isHealed) return;
      world.trace(`${process.name} to ${engine} is ${state}`);
      links[engine].state = state;
      if (engine === "redis" && member.isApi && state !== "up") huntAtEndOfLease(world, member);
    });
    delayMs += random.chance(0.4) ? pastLeaseMs : lastsMs / 2;
  }
}

/** An instance hears nothing until the feed no longer reaches back to where it stands; then it is slow to load. */
export function trimPast(world: World, member: Member): void {
  const link = member.links.redis;
  const silentMs = world.plan.conditions.maxStalenessMs + 3_000;
  const loadingMs = 5_000;
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

/** Somebody else takes an instance out of the store, which cannot register itself again for a while. */
export function loseInstance(world: World, member: Member, lastsMs: number): void {
  const { process, links } = member;
  links.redis.state = "cut";
  huntAtEndOfLease(world, member);
  world.store.primary.loseInstance(`${process.name}.${process.life}`);
  world.scheduler.after(lastsMs, () => {
    if (!world.isHealed) links.redis.state = "up";
  });
}

/** A start over a line that is slow to answer: what happens meanwhile falls into the middle of the load. */
export function loadSlowly(world: World, { links }: Member, lastsMs: number): void {
  links.redis.state = "late";
  world.scheduler.after(Math.max(5_000, lastsMs), () => {
    if (!world.isHealed) links.redis.state = "up";
  });
}

/** The moment in which an instance whose lease must have run out still accepts is short, if there is one. */
function huntAtEndOfLease(world: World, member: Member): void {
  const { maxStalenessMs, syncIntervalMs } = world.plan.conditions;
  world.hunt(member, { fromMs: maxStalenessMs - syncIntervalMs, toMs: maxStalenessMs + 1_000 });
}
