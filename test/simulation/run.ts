import { createHash } from "node:crypto";
import type { ServiceSettings } from "../../api/settings.ts";
import type { KeySet } from "../../api/tokens/keys.ts";
import { Clients } from "./client.ts";
import { applyFault, healAll } from "./faults.ts";
import { judgeEnd, judgePromptness, untilQuiet } from "./final-judgement.ts";
import type { Violation } from "./history.ts";
import { type ClientAction, type FaultKind, faultKinds, type Plan, type PlanItem } from "./plan.ts";
import { createRandom } from "./random.ts";
import { type Member, World } from "./world.ts";

export interface RunDeps {
  readonly keys: KeySet;
  readonly settings: ServiceSettings;
  readonly onTrace?: (line: string) => void;
}

export interface RunResult {
  readonly violations: readonly Violation[];
  readonly steps: number;
  /** Of everything that happened, in its order: two runs of one plan have the same. */
  readonly digest: string;
}

/** Runs one plan from the first start to the last look. The same plan ends the same, to the last byte of its trace. */
export async function run(plan: Plan, deps: RunDeps): Promise<RunResult> {
  const hash = createHash("sha256");
  const trace = (line: string) => {
    hash.update(`${line}\n`);
    deps.onTrace?.(line);
  };
  const world = new World({ plan, keys: deps.keys, settings: deps.settings, trace });
  const clients = new Clients(world);
  await world.open();
  for (const item of plan.items) world.scheduler.at(item.atMs, () => perform(world, clients, item));
  world.onLeaseAtRisk = (member) => probeEndOfLease(world, clients, member);
  superviseProcesses(world);
  judgePromptness(world);
  await world.scheduler.runUntil(plan.conditions.activeMs);

  healAll(world);
  world.trace("all is healed");
  await untilQuiet(world);
  await judgeEnd(world, clients);
  const { violations } = world.history;
  for (const { invariant, atMs, what } of violations)
    world.trace(`VIOLATION ${invariant} (${atMs}): ${what}`);
  return { violations, steps: world.scheduler.steps, digest: hash.digest("hex") };
}

function perform(world: World, clients: Clients, { what, draw }: PlanItem): void {
  const random = createRandom(draw);
  if (isFault(what)) applyFault(world, what, random);
  else void clients.act(what, random);
}

function isFault(what: ClientAction | FaultKind): what is FaultKind {
  return faultKinds.some((kind) => kind === what);
}

/** Requests around the time when the lease must run out: the moment in which a wrong one still accepts is short. */
function probeEndOfLease(world: World, clients: Clients, member: Member): void {
  const { maxStalenessMs, syncIntervalMs } = world.plan.conditions;
  const everyMs = 150;
  for (let atMs = maxStalenessMs - syncIntervalMs; atMs < maxStalenessMs + 1_000; atMs += everyMs) {
    world.scheduler.after(atMs, () => {
      const token = world.history.tokens.findLast(
        ({ expiresAtMs }) => expiresAtMs > member.process.clock.wallMs(),
      );
      if (token !== undefined) clients.probe(member, token.jti).catch(() => null);
    });
  }
}

/** As a container engine does: what has died is started again. */
function superviseProcesses(world: World): void {
  const restartAfterMs = 3_000;
  const down = new Map<string, number>();
  const look = () => {
    for (const member of world.members) {
      const { name, isDown } = member.process;
      const sinceMs = down.get(name);
      if (!isDown) down.delete(name);
      else if (sinceMs === undefined) down.set(name, world.nowMs);
      else if (world.nowMs - sinceMs > restartAfterMs) world.startProcess(member);
    }
    world.scheduler.after(500, look);
  };
  world.scheduler.after(500, look);
}
