import { createHash } from "node:crypto";
import { type Held, heldIn } from "./records.ts";
import { untilQuiet } from "./until-quiet.ts";
import type { World } from "./world.ts";

/**
 * The same log once more: nobody's state moves, and no copy holds anything else. What had expired and was forgotten
 * before, where so much time has passed, is written again by what comes again, and matches nothing.
 */
export async function judgeReplay(world: World): Promise<void> {
  const aliveMs = world.wallMs.latest + 2 * 60_000;
  const before = await digestsOf(world, aliveMs);
  const eventLog = world.log.connect();
  for (const { key, value, headers } of world.log.read("events")) {
    const sent = Object.fromEntries(
      Object.entries(headers).map(([name, bytes]) => [
        name,
        Buffer.from(bytes instanceof Uint8Array ? bytes : []),
      ]),
    );
    await eventLog.publish("events", [{ key, value, headers: sent }]);
  }
  await untilQuiet(world);
  const after = await digestsOf(world, aliveMs);
  for (const [name, digest] of before) {
    if (after.get(name) === digest) continue;
    world.history.violate("I8", world.nowMs, `${name} moved when the log came again`);
  }
}

/** Of the users, the ledger, the store and every instance, as far as it lives long enough to be seen twice. */
async function digestsOf(world: World, aliveMs: number): Promise<ReadonlyMap<string, string>> {
  const { users, ledger } = world.database.connect();
  const states = await Promise.all(world.userIds.map((id) => users.findById(id)));
  const ofUsers = [
    "the users' state",
    digestOf(states.map((user) => `${user?.status} ${user?.epoch}`)),
  ] as const;
  if (world.plan.conditions.lull !== null) return new Map([ofUsers]);
  const rows = (await ledger.list({ limit: 10_000 })).filter(({ untilMs }) => (untilMs ?? 0) > aliveMs);
  return new Map([
    ofUsers,
    [
      "the ledger",
      digestOf(
        rows.map(({ eventId, subject, epoch, notBefore, jti }) => [eventId, subject, epoch, notBefore, jti]),
      ),
    ],
    ["the store", digestOfHeld(heldIn(world.store.primary.records()), aliveMs)],
    ...world.apis.map(
      ({ process, instance }) =>
        [process.name, digestOfHeld(heldIn(instance?.blacklist.records() ?? []), aliveMs)] as const,
    ),
  ]);
}

function digestOfHeld({ tokens, unrecorded, cutOffs }: Held, aliveMs: number): string {
  const isAlive = (seconds: number) => seconds * 1_000 > aliveMs;
  return digestOf([
    ...[...tokens].filter(([, exp]) => isAlive(exp)).map(([name]) => name),
    ...[...unrecorded].filter(([, until]) => isAlive(until)).map(([name]) => name),
    ...[...cutOffs]
      .filter(([, { epoch, notBefore }]) => isAlive(Math.max(epoch.until, notBefore.until)))
      .map(([name, { epoch, notBefore }]) => `${name} ${epoch.value} ${notBefore.value}`),
  ]);
}

function digestOf(elements: readonly unknown[]): string {
  const texts = elements.map((element) => JSON.stringify(element)).toSorted();
  return createHash("sha256").update(texts.join("\n")).digest("hex");
}
