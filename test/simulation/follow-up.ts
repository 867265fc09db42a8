import type { Clients } from "./clients.ts";
import type { Killer } from "./history.ts";
import { judgePromptness } from "./judge-promptness.ts";
import { promisedBoundMs } from "./promises.ts";
import type { World } from "./world.ts";

/** What is looked at once something that ends tokens was accepted, and at the moments from which on it must. */
export function followUp(world: World, clients: Clients): void {
  const { history, scheduler, plan } = world;
  const { probes, administration } = clients;
  const random = world.random.fork("follow-up");
  const { maxStalenessMs, lagMs } = plan.conditions;
  const boundMs = promisedBoundMs(maxStalenessMs, lagMs);

  history.onApplied = (eventId) => scheduler.after(boundMs + 1, () => void probes.huntAfter(eventId, random));
  history.onEnforced = (eventId) => scheduler.after(1, () => void probes.huntAfter(eventId, random));

  const readReceipt = (killer: Killer) => {
    const eventId = history.eventIdOf(killer);
    if (eventId === null) return;
    administration.readReceipt(random.pick(world.apis), eventId).catch(() => undefined);
  };
  administration.onAccepted = (killer) => {
    judgePromptness(world, killer);
    for (const withinMs of [300, 5_000]) {
      scheduler.after(random.fraction() * withinMs, () => readReceipt(killer));
    }
  };
}
