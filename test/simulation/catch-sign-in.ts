import type { Random } from "../support/random.ts";
import type { Clients } from "./clients.ts";
import type { World } from "./world.ts";

const patienceMs = 2 * 3_600_000;
/** Sent one after the other, so that the pause meets them in different places. */
const signInsSentAtMs = [0, 1, 2, 3, 4, 5];
const deactivatedAtMs = [1_000, 5_000, 15_000];
const probedAfterMs = [1_000, 2_000, 4_000];

/**
 * Sign-ins are caught between their reads by a pause that outlasts every trace of the deactivation that comes meanwhile;
 * and when they go on, there is an instance that was not there before.
 */
export function catchSignIn(world: World, clients: Clients, random: Random): void {
  const { scheduler, plan, caughtUserId: user } = world;
  const { lull } = plan.conditions;
  const [caught, other] = random.shuffled(world.apis);
  if (lull === null || caught === undefined || other === undefined) return;
  for (const ms of signInsSentAtMs) {
    scheduler.after(ms, () => {
      clients.signIns
        .signIn(caught, user, { patienceMs })
        .catch(() => world.trace("a sign-in has no answer"));
    });
  }
  scheduler.after(5 + random.fraction() * 3, () => {
    world.trace(`${caught.process.name} is caught`);
    caught.process.pause("stopped");
  });
  const deactivation = { user, path: "deactivate", kind: "deactivation" } as const;
  for (const ms of deactivatedAtMs) {
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
  for (const ms of probedAfterMs) {
    scheduler.after(wakesInMs + ms, () => void clients.probes.huntTokensOf(user));
  }
}
