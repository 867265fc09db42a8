import type { Random } from "../support/random.ts";
import type { Clients } from "./clients.ts";
import type { Member } from "./member.ts";
import type { World } from "./world.ts";

const patienceMs = 2 * 3_600_000;
/** One after the other, so that the pause meets them in different places. */
const signInsSentAtMs = [0, 1, 2, 3, 4, 5];
/** Again and again, since the first may meet a fault. */
const askedAtMs = [1_000, 5_000, 15_000];
const probedAfterMs = [1_000, 2_000, 4_000];

/**
 * Sign-ins are caught between their reads by a pause that outlasts every trace of the deactivation that comes meanwhile;
 * and when they go on, there is an instance that was not there before.
 */
export function outlastBySignIn(world: World, clients: Clients, random: Random): void {
  const { scheduler, quietUserId: user } = world;
  const { caught, other, leftMs } = lullOf(world, random);
  for (const ms of signInsSentAtMs) {
    scheduler.after(ms, () => quietly(world, clients.signIns.signIn(caught, user, { patienceMs })));
  }
  scheduler.after(5 + random.fraction() * 3, () => {
    world.trace(`${caught.process.name} is caught`);
    caught.process.pause("stopped");
  });
  for (const ms of askedAtMs) scheduler.after(ms, () => deactivate(world, clients, other));
  scheduler.after(leftMs - 6_000, () => replace(world, other));
  scheduler.after(leftMs, () => caught.process.resume());
  for (const ms of probedAfterMs) scheduler.after(leftMs + ms, () => void clients.probes.huntTokensOf(user));
}

/** A session from before a deactivation, which outlasts every trace of it, is refreshed when its user is back. */
export function outlastBySession(world: World, clients: Clients, random: Random): void {
  const { scheduler, quietUserId: user } = world;
  const { caught, other, leftMs } = lullOf(world, random);
  quietly(world, clients.signIns.signIn(caught, user));
  for (const ms of askedAtMs) {
    scheduler.after(ms, () => deactivate(world, clients, other));
    scheduler.after(ms + 2_000, () => quietly(world, clients.administration.reactivate(other, user)));
  }
  scheduler.after(leftMs - 6_000, () => replace(world, other));
  scheduler.after(leftMs, () => quietly(world, clients.signIns.refresh(caught, random, user)));
  for (const ms of probedAfterMs) scheduler.after(leftMs + ms, () => void clients.probes.huntTokensOf(user));
}

interface LullOf {
  readonly caught: Member;
  readonly other: Member;
  readonly leftMs: number;
}

function lullOf(world: World, random: Random): LullOf {
  const { lull } = world.plan.conditions;
  const [caught, other] = random.shuffled(world.apis);
  if (lull === null || caught === undefined || other === undefined) throw new RangeError("there is no lull");
  return { caught, other, leftMs: lull.toMs - world.nowMs - 10_000 };
}

function deactivate(world: World, { administration }: Clients, member: Member): void {
  const user = world.quietUserId;
  quietly(world, administration.change(member, { user, path: "deactivate", kind: "deactivation" }));
}

/** By one that knows only what it loads. */
function replace(world: World, member: Member): void {
  if (member.process.isDown) return;
  member.process.kill();
  world.startProcess(member);
}

function quietly(world: World, answering: Promise<void>): void {
  answering.catch(() => world.trace("no answer"));
}
