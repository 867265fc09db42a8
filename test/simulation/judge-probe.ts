import type { HeldToken } from "./history.ts";
import type { Answer } from "./inject.ts";
import type { Member } from "./member.ts";
import { isInnocent, mustDie } from "./model.ts";
import { promisedBoundMs } from "./promises.ts";
import type { World } from "./world.ts";

interface Asked {
  readonly member: Member;
  readonly life: number;
  /** When the instance took the request in hand: it decides in that same step. */
  readonly handledAtMs: number;
  /** The age of its freshness in that step: since the sending of its latest sync with a valid answer. */
  readonly freshAgeMs: number;
  readonly answer: Answer;
}

export interface Probe extends Asked {
  readonly token: HeldToken;
}

/** When one life of an instance first refused a token as revoked: it must never accept it again. */
const refusals = new WeakMap<World, Map<string, number>>();

export function judgeProbe(world: World, probe: Probe): void {
  const { member, life, token, answer, handledAtMs } = probe;
  const key = `${member.process.name}.${life} ${token.jti}`;
  const refusedAtMs = refusals.get(world) ?? new Map<string, number>();
  refusals.set(world, refusedAtMs);
  const firstMs = refusedAtMs.get(key) ?? Infinity;
  if (answer.status === 200) {
    if (firstMs < handledAtMs) violate(world, probe, "I5: accepts what it had refused");
    judgeAcceptance(world, probe);
  } else if (isRevocation(answer)) {
    refusedAtMs.set(key, Math.min(firstMs, handledAtMs));
    if (isInnocent(token, world.history)) violate(world, probe, "I4: refuses an innocent");
  } else if (answer.status !== 503 && answer.body["type"] !== "/problems/token-expired") {
    judgeOtherRefusal(world, probe);
  }
}

/** Who has lost his lease says so, whatever his policy. */
export function judgeReadiness(world: World, { member, freshAgeMs, answer }: Asked): void {
  if (answer.status !== 200 || !isTooOld(world, freshAgeMs)) return;
  world.history.violate("I7", world.nowMs, `ready without a fresh sync; ${member.process.name}`);
}

/** Clocks that are slow see less time pass. */
function isTooOld(world: World, freshAgeMs: number): boolean {
  const { maxStalenessMs, rateError } = world.plan.conditions;
  return freshAgeMs > maxStalenessMs * (1 + 2 * rateError) + 1;
}

function judgeAcceptance(world: World, probe: Probe): void {
  const { history, plan } = world;
  const { member, token, handledAtMs, freshAgeMs } = probe;
  const { maxStalenessMs, lagMs } = plan.conditions;
  const boundMs = promisedBoundMs(maxStalenessMs, lagMs);
  for (const killer of history.killers) {
    if (!mustDie(token, killer, history)) continue;
    const eventId = history.eventIdOf(killer);
    if (eventId === null) continue;
    const enforcedAtMs = history.enforcedAtMs.get(eventId) ?? Infinity;
    if (handledAtMs > enforcedAtMs) violate(world, probe, `receipt: ${eventId} was enforced`);
    const isPastBound = handledAtMs > history.boundCountsFromMs(eventId) + boundMs;
    if (isPastBound && !member.isBestEffort) violate(world, probe, `I1: ${eventId} was applied`);
  }
  if (isTooOld(world, freshAgeMs) && !member.isBestEffort)
    violate(world, probe, "I7: accepts without a fresh sync");
}

function judgeOtherRefusal(world: World, probe: Probe): void {
  const { status, body } = probe.answer;
  // A clock that was stepped sees a token from the future, or an expired one.
  if (status === 401 && world.clocksWereStepped) return;
  violate(world, probe, `I4: answers ${status} ${String(body["type"])}`);
}

function isRevocation({ status, body }: Answer): boolean {
  const type = body["type"];
  return status === 401 && (type === "/problems/token-revoked" || type === "/problems/user-deactivated");
}

function violate(world: World, { member, token }: Probe, why: string): void {
  const [name = "", what = ""] = why.split(": ");
  const invariant = (["I1", "I4", "I7", "receipt"] as const).find((one) => one === name) ?? "I5";
  world.history.violate(
    invariant,
    world.nowMs,
    `${what}; ${member.process.name}, token ${token.jti} of user ${token.user}`,
  );
}
