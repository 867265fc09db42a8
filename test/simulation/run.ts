import { createHash } from "node:crypto";
import type { ServiceSettings } from "../../api/settings.ts";
import type { KeySet } from "../../api/tokens/keys.ts";
import { createRandom } from "../support/random.ts";
import { Clients } from "./client.ts";
import { applyFault, healAll } from "./faults.ts";
import { judgeEnd, judgePromptness, untilQuiet } from "./final-judgement.ts";
import type { Violation } from "./history.ts";
import { type ClientAction, type FaultKind, faultKinds, type Plan, type PlanItem } from "./plan.ts";
import { World } from "./world.ts";

const huntEveryMs = 150;

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
  const hunting = world.random.fork("hunt");
  world.hunt = (member, { fromMs, toMs }) => {
    for (let atMs = fromMs; atMs < toMs; atMs += huntEveryMs) {
      world.scheduler.after(atMs, () => void clients.hunt(member, hunting));
    }
  };
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
