import type { Random } from "../support/random.ts";
import type { Clients } from "./clients.ts";
import type { World } from "./world.ts";

const patienceMs = 2 * 3_600_000;

/**
 * A sign-in is caught between its reads by a pause that outlasts every trace of the deactivation that comes meanwhile;
 * and when it goes on, there is an instance that was not there before.
 */
export function catchSignIn(world: World, clients: Clients, random: Random): void {
  const { lull } = world.plan.conditions;
  const [caught, other] = random.shuffled(world.apis);
  if (lull === null || caught === undefined || other === undefined) return;
  const user = random.pick(world.userIds);
  const { scheduler } = world;
  clients.signIns.signIn(caught, user, { patienceMs }).catch(() => world.trace("nobody waits any more"));
  scheduler.after(random.fraction() * 14, () => {
    world.trace(`${caught.process.name} is caught`);
    caught.process.pause("stopped");
  });
  const deactivation = { user, path: "deactivate", kind: "deactivation" } as const;
  for (const ms of [1_000, 5_000, 15_000]) {
    scheduler.after(ms, () => {
      clients.administration.change(other, deactivation).catch(() => world.trace("no answer"));
    });
  }
  const wakesInMs = lull.toMs - world.nowMs - 10_000;
  scheduler.after(wakesInMs - 6_000, () => {
    if (other.process.isDown) return;
    other.process.kill();
    world.startProcess(other);
  });
  scheduler.after(wakesInMs, () => caught.process.resume());
}
