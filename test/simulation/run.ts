import { createHash } from "node:crypto";
import type { ServiceSettings } from "../../api/settings.ts";
import type { KeySet } from "../../api/tokens/keys.ts";
import { createRandom } from "../support/random.ts";
import { Clients } from "./clients.ts";
import { applyFault, healAll } from "./faults.ts";
import { followUp } from "./follow-up.ts";
import type { Violation } from "./history.ts";
import { judgeEnd } from "./judge-end.ts";
import { judgeSteps } from "./judge-steps.ts";
import { outlastBySession, outlastBySignIn } from "./outlast.ts";
import { type ClientAction, type FaultKind, faultKinds, type Plan, type PlanItem } from "./plan.ts";
import { untilQuiet } from "./until-quiet.ts";
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
  /** How many tokens were given out: without any nothing could have been shown. */
  readonly tokens: number;
  /** Of everything that happened, in its order, and of every effect: two runs of one plan have the same. */
  readonly digest: string;
}

/** Runs one plan from the first start to the last look. The same plan ends the same, to the last byte of its trace. */
export async function run(plan: Plan, deps: RunDeps): Promise<RunResult> {
  const hash = createHash("sha256");
  const note = (line: string) => void hash.update(`${line}\n`);
  const trace = (line: string) => {
    note(line);
    deps.onTrace?.(line);
  };
  const world = new World({ plan, keys: deps.keys, settings: deps.settings, trace, note });
  const clients = new Clients(world);
  followUp(world, clients);
  await world.open();
  for (const item of plan.items) world.scheduler.at(item.atMs, () => perform(world, clients, item));
  const hunting = world.random.fork("hunt");
  world.hunt = (member, { fromMs, toMs }) => {
    for (let atMs = fromMs; atMs < toMs; atMs += huntEveryMs) {
      world.scheduler.after(atMs, () => void clients.probes.hunt(member, hunting));
    }
  };
  judgeSteps(world);
  await world.scheduler.runUntil(plan.conditions.activeMs);

  healAll(world);
  world.trace("all is healed");
  await untilQuiet(world);
  await judgeEnd(world, clients);
  const { violations } = world.history;
  const { steps } = world.scheduler;
  for (const { invariant, atMs, what } of violations)
    world.trace(`VIOLATION ${invariant} (${atMs}): ${what}`);
  note(`${steps} steps`);
  return { violations, steps, tokens: world.history.tokens.length, digest: hash.digest("hex") };
}

function perform(world: World, clients: Clients, { what, draw }: PlanItem): void {
  const random = createRandom(draw);
  if (what === "outlast-by-sign-in") outlastBySignIn(world, clients, random);
  else if (what === "outlast-by-session") outlastBySession(world, clients, random);
  else if (isFault(what)) applyFault(world, what, random);
  else void clients.act(what, random);
}

function isFault(what: ClientAction | FaultKind): what is FaultKind {
  return faultKinds.some((kind) => kind === what);
}
