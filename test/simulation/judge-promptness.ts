import type { Killer } from "./history.ts";
import type { Member } from "./member.ts";
import { promptMs } from "./promises.ts";
import type { World } from "./world.ts";

/** In time, whatever else is wrong: with Kafka, with instances, with the other workers. */
export function judgePromptness(world: World, killer: Killer): void {
  const acceptedAtMs = world.nowMs;
  world.scheduler.after(promptMs, () => {
    const { history, nowMs } = world;
    const eventId = history.eventIdOf(killer);
    if (eventId === null || history.appliedAtMs.has(eventId) || !isServed(world, acceptedAtMs)) return;
    history.violate("I1b", nowMs, `event ${eventId} was accepted ${promptMs} ms ago`);
  });
}

/** MongoDB, Redis and one worker were up all the time; a store that is repaired counts as away. */
function isServed({ engines, storeWholeSinceMs, members }: World, sinceMs: number): boolean {
  const areStoresUp =
    Math.max(engines.store.upSinceMs, engines.database.upSinceMs, storeWholeSinceMs) <= sinceMs;
  return areStoresUp && members.some((member) => !member.isApi && isWellSince(member, sinceMs));
}

function isWellSince({ process, links }: Member, ms: number): boolean {
  return Math.max(process.upSinceMs, links.redis.upSinceMs, links.mongodb.upSinceMs) <= ms;
}
