import { expect } from "chai";
import fc from "fast-check";
import { describe, it } from "mocha";
import { encodeEvent } from "../../shared/events/encode-event.ts";
import type { EventType, QuashEvent } from "../../shared/events/event.ts";
import type { UserStatus } from "../../shared/revocation/user-state.ts";
import { createWorkerWorld, type WorkerWorld } from "../support/worker-world.ts";

const external = { iss: "https://idp.test", sub: "u-1" };
const types = ["user.deactivated", "user.reactivated", "user.signed-out", "credentials.changed"] as const;
const weighted = [...types, "user.deactivated", "user.reactivated"] as const;
const tick = 1_000;
const ticks = 4;

interface Said {
  readonly type: (typeof types)[number];
  /** When it happened, in ticks after the user was created; two may happen at once. */
  readonly at: number;
  readonly byExternalIdentity: boolean;
  readonly isRepeated: boolean;
}

const said: fc.Arbitrary<Said> = fc.record({
  type: fc.constantFrom(...weighted),
  at: fc.integer({ min: 1, max: ticks }),
  byExternalIdentity: fc.boolean(),
  isRepeated: fc.boolean(),
});
const schedule = fc
  .array(said, { minLength: 2, maxLength: 6, size: "max" })
  .map((events) => ({ events, deliveries: events.flatMap((event, i) => (event.isRepeated ? [i, i] : [i])) }))
  .chain(({ events, deliveries }) =>
    fc.record({
      events: fc.constant(events),
      order: fc.shuffledSubarray(deliveries, { minLength: deliveries.length }),
      keys: fc.array(fc.constantFrom("a", "b", "c", "d", null), { minLength: 12, maxLength: 12 }),
      isOneByOne: fc.boolean(),
    }),
  );

/** What the times say, whatever the order of arrival: the last change of status counts, the stricter one at a tie. */
function statusAfter(events: readonly Said[]): UserStatus {
  const changes = events.filter(({ type }) => type === "user.deactivated" || type === "user.reactivated");
  const lastAt = Math.max(...changes.map(({ at }) => at));
  const last = changes.filter(({ at }) => at === lastAt);
  return last.some(({ type }) => type === "user.deactivated") ? "deactivated" : "active";
}

describe("revoker: events in any order, on any partition, once or twice", () => {
  it("come to the status that their times say, and leave alive no token that one of them meant", async function () {
    this.timeout(60_000);
    await fc.assert(
      fc.asyncProperty(schedule, async ({ events, order, keys, isOneByOne }) => {
        const world = await createWorkerWorld();
        try {
          await world.start();
          const user = await world.addUser({ externalIds: [external] });
          const startMs = world.platform.clock.wallMs();
          const tokens: string[] = [];
          for (let at = 1; at <= ticks; at += 1) {
            await world.platform.advance(tick - 1);
            tokens[at] = await world.addToken(user.id);
            await world.platform.advance(1);
          }
          // The manual clock adds up fractions: the broker's time must not come out before that of the last event.
          await world.platform.advance(10);
          const made = events.map((event) => eventOf(world, event, { id: user.id, startMs }));
          const records = order.flatMap((i, n) => {
            const event = made[i];
            return event === undefined ? [] : [{ ...encodeEvent(event), key: keys[n] ?? null }];
          });
          for (const part of isOneByOne ? records.map((each) => [each]) : [records]) {
            await world.eventLog.publish("events", part);
            await world.platform.advance(isOneByOne ? 200 : 2_000);
          }
          await world.platform.advance(2_000);

          expect(world.logServer.lag).to.equal(0);
          expect(world.deadLetterReasons()).to.deep.equal([]);
          const found = await world.database.users.findById(user.id);
          expect(found?.status).to.equal(statusAfter(events));
          const { epoch = 0 } = found ?? {};
          const kills = events.filter(({ type }) => type !== "user.reactivated");
          const lastKill = Math.max(0, ...kills.map(({ at }) => at));
          const cutOff = (await world.cutOffOf(user.id))?.epoch ?? 0;
          expect(cutOff).to.equal(epoch);
          for (let at = 1; at <= lastKill; at += 1) {
            expect(cutOff > 0 || (await world.isTokenRevoked(tokens[at] ?? "")), `token ${at}`).to.equal(
              true,
            );
          }
          const since = await world.addToken(user.id, { epoch });
          for (const record of records) await world.eventLog.publish("events", [record]);
          await world.platform.advance(2_000);
          expect(await world.isTokenRevoked(since)).to.equal(false);
          expect(await world.database.users.findById(user.id)).to.deep.include({
            epoch,
            status: found?.status,
          });
          expect((await world.cutOffOf(user.id))?.epoch ?? 0).to.equal(epoch);
        } finally {
          await world.close();
        }
      }),
      { numRuns: 80, seed: 20261124 },
    );
  });
});

function eventOf(
  world: WorkerWorld,
  { type, at, byExternalIdentity }: Said,
  user: { readonly id: string; readonly startMs: number },
): QuashEvent {
  const whom = byExternalIdentity ? { details: { external } } : { subject: user.id };
  return world.event(type satisfies EventType, { ...whom, timeMs: user.startMs + at * tick });
}
