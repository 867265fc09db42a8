import { type Held, heldIn } from "./records.ts";
import { untilQuiet } from "./until-quiet.ts";
import type { World } from "./world.ts";

/** What a party holds, by name: all of it, and what lives long enough to be there a second time. */
interface Seen {
  readonly all: ReadonlySet<string>;
  readonly lasting: readonly string[];
}

/**
 * The same log once more: nobody's state moves, and no copy holds anything else. What had expired and was forgotten
 * before, where so much time has passed, is written again by what comes again, and matches nothing.
 */
export async function judgeReplay(world: World): Promise<void> {
  const lastingMs = world.wallMs.latest + 2 * 60_000;
  const before = await look(world, lastingMs);
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
  for (const [name, after] of await look(world, lastingMs)) {
    const there = before.get(name);
    const gone = there?.lasting.find((one) => !after.all.has(one));
    const added = after.lasting.find((one) => !there?.all.has(one));
    const moved = gone ?? added;
    if (moved === undefined) continue;
    world.history.violate("I8", world.nowMs, `${name} moved when the log came again: ${moved}`);
  }
}

async function look(world: World, lastingMs: number): Promise<ReadonlyMap<string, Seen>> {
  const { users, ledger } = world.database.connect();
  const states = await Promise.all(world.userIds.map((id) => users.findById(id)));
  const ofUsers = states.map((user) => `${user?.id} ${user?.status} ${user?.epoch}`);
  const seen = new Map<string, Seen>([["a user's state", { all: new Set(ofUsers), lasting: ofUsers }]]);
  if (world.plan.conditions.lull !== null) return seen;
  const rows = await ledger.list({ limit: 10_000 });
  const lasting = rows.filter(({ untilMs }) => (untilMs ?? 0) > lastingMs);
  const textOf = ({ eventId, subject, epoch, notBefore, jti }: (typeof rows)[number]) =>
    `${eventId} ${subject} ${epoch} ${notBefore} ${jti}`;
  seen.set("the ledger", { all: new Set(rows.map(textOf)), lasting: lasting.map(textOf) });
  seen.set("the store", seenIn(heldIn(world.store.primary.records()), lastingMs));
  for (const { process, instance } of world.apis) {
    seen.set(process.name, seenIn(heldIn(instance?.blacklist.records() ?? []), lastingMs));
  }
  return seen;
}

function seenIn({ tokens, unrecorded, cutOffs }: Held, lastingMs: number): Seen {
  const held: (readonly [text: string, untilSeconds: number])[] = [
    ...tokens,
    ...unrecorded,
    ...[...cutOffs].map(
      ([name, { epoch, notBefore }]) =>
        [`${name} ${epoch.value} ${notBefore.value}`, Math.max(epoch.until, notBefore.until)] as const,
    ),
  ];
  return {
    all: new Set(held.map(([text]) => text)),
    lasting: held.filter(([, until]) => until * 1_000 > lastingMs).map(([text]) => text),
  };
}
