import type { Cancel } from "../../shared/ports/platform.ts";
import type { Member } from "./member.ts";
import { clockToleranceMs } from "./promises.ts";
import { type Held, heldIn, nameOf, nothingCutOff } from "./records.ts";
import type { World } from "./world.ts";

/*
 * After each step, where something may have changed what a copy of the revocations holds: it holds nothing that nobody
 * asked for, and nothing has gone from it, or become less strict, that could still match a token which some clock lets
 * live. The store may lose what a fault takes from it; an instance loses nothing but by its death.
 */

export function judgeSteps(world: World): void {
  const copies = [new StoreCopy(world), ...world.apis.map((member) => new ReplicaCopy(world, member))];
  world.scheduler.afterEach(() => {
    noteWholeness(world);
    for (const copy of copies) copy.look();
  });
}

/** Whether the present store is the one that the ledger expects, and everybody follows it. */
function noteWholeness(world: World): void {
  const { incarnation } = world.store.primary;
  const isWhole = incarnation !== null && incarnation === world.fence && !world.store.isSplit;
  if (!isWhole) world.storeWholeSinceMs = Infinity;
  else if (world.storeWholeSinceMs === Infinity) world.storeWholeSinceMs = world.nowMs;
}

class StoreCopy {
  readonly #world: World;
  #losses = 0;
  #changes = 0;
  #before: Held | null = null;

  constructor(world: World) {
    this.#world = world;
  }

  look(): void {
    const { losses, changes, primary } = this.#world.store;
    if (losses === this.#losses && changes === this.#changes) return;
    if (losses !== this.#losses) this.#before = null;
    this.#losses = losses;
    this.#changes = changes;
    this.#before = compare(this.#world, {
      name: "the store",
      before: this.#before,
      now: heldIn(primary.records()),
    });
  }
}

class ReplicaCopy {
  readonly #world: World;
  readonly #member: Member;
  #instance: Member["instance"];
  #entries = 0;
  #hasChanged = false;
  #before: Held | null = null;
  #stop: Cancel = () => undefined;

  constructor(world: World, member: Member) {
    this.#world = world;
    this.#member = member;
  }

  look(): void {
    const { instance, process } = this.#member;
    if (instance !== this.#instance) this.#follow(instance);
    if (instance === undefined) return;
    const { blacklist } = instance;
    if (!this.#hasChanged && blacklist.entries === this.#entries) return;
    this.#hasChanged = false;
    this.#entries = blacklist.entries;
    const now = heldIn(blacklist.records());
    this.#before = compare(this.#world, { name: process.name, before: this.#before, now });
  }

  #follow(instance: Member["instance"]): void {
    this.#stop();
    this.#instance = instance;
    this.#before = null;
    this.#hasChanged = true;
    this.#stop =
      instance?.blacklist.onApplied(() => {
        this.#hasChanged = true;
      }) ?? (() => undefined);
  }
}

interface Compared {
  readonly name: string;
  readonly before: Held | null;
  readonly now: Held;
}

function compare(world: World, { name, before, now }: Compared): Held {
  const { history, nowMs } = world;
  for (const token of [...now.tokens.keys(), ...now.unrecorded.keys()]) {
    if (!world.recordsByName.has(token))
      history.violate("I9", nowMs, `${name} holds token ${token} of nobody`);
  }
  for (const subject of now.cutOffs.keys()) {
    if (!world.isSubject(subject)) history.violate("I9", nowMs, `${name} cuts off ${subject}, who is nobody`);
  }
  if (before === null) return now;
  const aliveMs = world.wallMs.earliest - clockToleranceMs;
  for (const [token, exp] of before.tokens) {
    const expiresAtMs = world.recordsByName.get(token)?.expiresAtMs ?? exp * 1_000;
    if (!now.tokens.has(token) && expiresAtMs > aliveMs)
      history.violate("I5", nowMs, `${name} has dropped token ${token}, which may live`);
  }
  for (const [token, until] of before.unrecorded) {
    if (!now.unrecorded.has(token) && until * 1_000 > aliveMs)
      history.violate("I5", nowMs, `${name} has dropped unrecorded token ${token}`);
  }
  for (const [subject, { epoch, notBefore }] of before.cutOffs) {
    const there = now.cutOffs.get(subject) ?? nothingCutOff;
    const isBack =
      (there.notBefore.value < notBefore.value && notBefore.until * 1_000 > aliveMs) ||
      (there.epoch.value < epoch.value &&
        (epoch.until * 1_000 > aliveMs ||
          lives(world, { subject, from: there.epoch.value, below: epoch.value, aliveMs })));
    if (isBack) history.violate("I3", nowMs, `the cut-off of ${subject} in ${name} went back`);
  }
  return now;
}

/** Whether a token may live that a cut-off kept out which is gone. */
function lives(
  { records }: World,
  { subject, from, below, aliveMs }: { subject: string; from: number; below: number; aliveMs: number },
): boolean {
  return [...records.values()].some(
    (token) =>
      nameOf(token.subject) === subject &&
      token.epoch >= from &&
      token.epoch < below &&
      token.expiresAtMs > aliveMs,
  );
}
