import { expect } from "chai";
import fc from "fast-check";
import { describe, it } from "mocha";
import { createBlacklist } from "../../../api/blacklist/blacklist.ts";
import type { AccessTokenClaims } from "../../../api/tokens/claims.ts";
import { createFingerprinter } from "../../../shared/revocation/fingerprint.ts";
import { packAdditions } from "../../../shared/revocation/packed-additions.ts";
import { issuer } from "../tokens/token-builder.ts";
import { alice, createWorld, lifetimeSeconds, type World } from "./world.ts";

const races = 5_000;
const racesInAWorld = 100;

describe("a sign-in that races a deactivation, in ten thousand orders", function () {
  this.timeout(120_000);
  let world: World;
  let count = 0;

  /** Every call of a store waits for its turn, which the scheduler decides. */
  async function race(
    scheduler: fc.Scheduler,
    run: (person: typeof alice, userId: string) => Promise<unknown>[],
  ): Promise<{ readonly userId: string; readonly isRevoked: (claims: AccessTokenClaims) => boolean }> {
    // A database that grows and grows would be what takes the time.
    if (count % racesInAWorld === 0) world = await createWorld();
    const person = { ...alice, email: `person-${(count += 1)}@example.com` };
    const { id } = await world.createUser(person);
    world.published.length = 0;
    world.hooks.always(() => scheduler.schedule(Promise.resolve()));
    await scheduler.waitFor(Promise.allSettled(run(person, id)));
    world.hooks.always(undefined);
    return { userId: id, isRevoked: enforce(id) };
  }

  /** What an instance refuses once the events that were published have reached it. */
  function enforce(userId: string) {
    const fingerprint = createFingerprinter(issuer);
    const blacklist = createBlacklist({ ...world.platform, fingerprint, ownIssuer: issuer });
    const until = world.platform.clock.wallMs() / 1_000 + lifetimeSeconds;
    const subject = fingerprint(issuer, userId);
    for (const { event } of world.published) {
      const epoch = event.details.epoch ?? 0;
      blacklist.apply(packAdditions([{ kind: "cut-off", subject, epoch, notBefore: 0, until }]));
    }
    return (claims: AccessTokenClaims) => blacklist.isRevoked(claims) !== null;
  }

  const signIn = async (person: typeof alice, into: AccessTokenClaims[]) => {
    const { accessToken } = await world.signIn(person);
    const payload = Buffer.from(accessToken.split(".")[1] ?? "", "base64url").toString();
    into.push(JSON.parse(payload) as AccessTokenClaims);
  };

  it("leaves no survivor while the user stays deactivated", async () => {
    await fc.assert(
      fc.asyncProperty(fc.scheduler(), async (scheduler) => {
        const granted: AccessTokenClaims[] = [];
        const { isRevoked } = await race(scheduler, (person, userId) => [
          signIn(person, granted),
          signIn(person, granted),
          world.deactivate({ userId, actor: "root" }),
        ]);
        expect(granted.filter((claims) => !isRevoked(claims))).to.deep.equal([]);
      }),
      { numRuns: races },
    );
  });

  it("kills who came before, and hits nobody who came after, where the user comes back", async () => {
    await fc.assert(
      fc.asyncProperty(fc.scheduler(), async (scheduler) => {
        const [early, racing, late]: AccessTokenClaims[][] = [[], [], []];
        const { isRevoked } = await race(scheduler, (person, userId) => [
          (async () => {
            await signIn(person, early ?? []);
            await Promise.all([
              world.deactivate({ userId, actor: "root" }),
              signIn(person, racing ?? []).catch(() => null),
            ]);
            await world.reactivate({ userId, actor: "root" });
            await signIn(person, late ?? []);
          })(),
        ]);
        expect(early?.map(isRevoked)).to.deep.equal([true]);
        expect(late?.map(isRevoked)).to.deep.equal([false]);
      }),
      { numRuns: races },
    );
  });
});
