import { expect } from "chai";
import { describe, it } from "mocha";
import { AppError } from "../../../shared/errors.ts";
import { alice, createWorld, type World } from "./world.ts";

const ends = ["deactivate", "signOut", "remove", "signOutSession"] as const;
/** More steps than two refreshes have: every place between them is tried. */
const places = 40;

/** Lets the end come in before the `place`th of the steps that follow; whether there were so many. */
function comeIn(world: World, place: number, end: () => Promise<unknown>): () => boolean {
  let steps = 0;
  let hasCome = false;
  world.hooks.always(async () => {
    steps += 1;
    if (steps !== place) return;
    world.hooks.always(undefined);
    hasCome = true;
    await end();
  });
  return () => hasCome;
}

describe("a refresh, and the same call again, while its session comes to an end", () => {
  for (const kind of ends) {
    for (const calls of ["one after the other", "at once"] as const) {
      it(`leave nothing behind that ${kind} does not reach, at whichever step it comes: ${calls}`, async () => {
        let tried = 0;
        for (let place = 1; place <= places; place += 1) tried += (await isTried(kind, calls, place)) ? 1 : 0;
        expect(tried).to.be.above(10);
      });
    }
  }

  async function isTried(kind: (typeof ends)[number], calls: string, place: number): Promise<boolean> {
    const world = await createWorld({ refreshRetrySeconds: 10 });
    const { id } = await world.createUser(alice);
    const grant = await world.signIn(alice);
    const claims = world.verify(grant.accessToken);
    const { sid } = claims;
    const nowMs = world.platform.clock.wallMs();
    const selection = { by: "session", sid, nowMs } as const;
    const hasCome = comeIn(world, place, async () => {
      if (kind !== "signOutSession") return world[kind]({ userId: id, actor: "root" });
      await world.signOutSession(claims);
      // As whoever handles the event does: nothing may be given out that it does not find.
      return world.database.ledger.markTokens("e1", selection, 100);
    });

    const refresh = () => world.refresh(grant);
    const outcomes =
      calls === "at once"
        ? await Promise.allSettled([refresh(), refresh()])
        : [...(await Promise.allSettled([refresh()])), ...(await Promise.allSettled([refresh()]))];
    world.hooks.always(undefined);
    if (!hasCome()) return false;
    for (const outcome of outcomes) {
      if (outcome.status === "rejected") {
        expect(outcome.reason).to.be.instanceOf(AppError).with.property("code", "refresh-token-invalid");
        continue;
      }
      const { jti, epoch } = world.verify(outcome.value.accessToken);
      const user = await world.database.users.findById(id);
      const token = await world.database.sessions.findToken(jti);
      const isReached = kind === "signOutSession" ? token?.revokedBy === "e1" : epoch < (user?.epoch ?? 0);
      expect(isReached, `${kind} at step ${place}`).to.equal(true);
      const next = { refreshToken: outcome.value.refreshToken };
      expect(await world.refresh(next).catch(() => "refused")).to.equal("refused");
    }
    return true;
  }
});
