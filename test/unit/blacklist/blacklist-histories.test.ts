import { expect } from "chai";
import { describe, it } from "mocha";
import type { CheckedClaims } from "../../../api/blacklist/blacklist.ts";
import { hashKeyBytes } from "../../../api/blacklist/fingerprint-hash.ts";
import { type Addition, clockErrorAllowedMs } from "../../../shared/revocation/addition.ts";
import { packAdditions, unpackAdditions } from "../../../shared/revocation/packed-additions.ts";
import { createRandom } from "../../support/random.ts";
import { createPlainBlacklist } from "./plain-blacklist.ts";
import {
  createWorld,
  cutOff,
  lifetimeSeconds,
  otherIssuer,
  ownIssuer,
  tokenRevocation,
  unrecordedToken,
  uuid,
} from "./world.ts";

interface Sizes {
  readonly steps: number;
  readonly users: number;
  /** Of which one is drawn; older ones are forgotten by the test alone. */
  readonly tokens: number;
  readonly mostAtOnce: number;
}

const secondsPerStep = 4;
const dayMs = 24 * 3_600_000;

/** One instance and its plain counterpart, which live through the same. */
function createHistory(seed: string, { users, tokens, mostAtOnce }: Sizes, hashKey?: Uint8Array) {
  const random = createRandom(seed);
  const { blacklist, platform } = createWorld(hashKey);
  const { clock } = platform;
  const plain = createPlainBlacklist();
  const startMs = clock.wallMs() - clock.monotonicMs();
  const recent: CheckedClaims[] = [];
  let minted = 0;
  let aheadSinceMs: number | undefined;

  /** The wall clock steps; this one does not. */
  const trueMs = () => startMs + clock.monotonicMs();
  const trueSeconds = () => trueMs() / 1000;

  function mint(): void {
    minted += 1;
    const iat = Math.floor(trueSeconds()) - random.integer(0, 60);
    recent[minted % tokens] = {
      iss: random.chance(0.8) ? ownIssuer : otherIssuer,
      sub: random.chance(0.8) ? uuid(random.integer(1, users)) : `user ${random.integer(1, users)}`,
      jti: random.chance(0.8) ? uuid(minted) : `order#${minted}`,
      iat,
      exp: iat + lifetimeSeconds,
      epoch: random.integer(0, 9),
    };
  }

  function anyAddition(): Addition {
    const claims = random.pick(recent);
    const until = Math.floor(trueSeconds()) + random.integer(lifetimeSeconds, lifetimeSeconds + 3_600);
    const kind = random.integer(0, 9);
    if (kind < 6) return tokenRevocation(claims);
    if (kind < 8) return unrecordedToken(claims, until);
    if (claims.iss !== ownIssuer) return cutOff(claims, { notBefore: claims.iat, until });
    return cutOff(claims, { epoch: random.integer(0, 9), until });
  }

  const someAdditions = () => Array.from({ length: random.integer(1, mostAtOnce) }, anyAddition);

  function add(): void {
    const additions = someAdditions();
    blacklist.apply(packAdditions(additions), random.chance(0.1) ? random.integer(1, 5_000) : 0);
    for (const addition of additions) plain.add(addition);
  }

  function compareLacking(): void {
    const living = someAdditions().filter(
      (addition) => addition.kind !== "token" || addition.exp >= trueSeconds(),
    );
    const expected = living.filter((addition) => !plain.covers(addition));
    const lacking = unpackAdditions(blacklist.lacks(packAdditions(living)));
    expect(lacking).to.have.deep.members(unpackAdditions(packAdditions(expected)));
  }

  function ask(claims: CheckedClaims): void {
    const answer = blacklist.isRevoked(claims);
    if (blacklist.isRevoked(claims, blacklist.namesOf(claims)) !== answer) expect.fail("names differ");
    if (plain.allows(answer, claims, trueSeconds())) return;
    expect.fail(`${answer} for ${JSON.stringify(claims)} at ${trueSeconds()}, seed ${seed}`);
  }

  /** To within the error allowed, to long ago, or far ahead: that for less than a longest lifetime. */
  function stepClock(isToFarAhead = random.chance(0.3)): void {
    const errorMs = clockErrorAllowedMs - 60_000;
    const nearMs = random.chance(0.7) ? random.integer(-errorMs, errorMs) : -random.integer(0, dayMs);
    const leadMs = isToFarAhead ? random.integer(0, dayMs) : nearMs;
    platform.stepWall(trueMs() + leadMs - clock.wallMs());
    aheadSinceMs = isToFarAhead ? (aheadSinceMs ?? clock.monotonicMs()) : undefined;
    blacklist.prune();
  }

  async function advance(ms: number): Promise<void> {
    const endMs = clock.monotonicMs() + ms;
    if (aheadSinceMs !== undefined && endMs - aheadSinceMs >= lifetimeSeconds * 1000) stepClock(false);
    await platform.advance(ms);
  }

  async function step(): Promise<void> {
    const chance = random.integer(0, 99);
    mint();
    if (chance < 40) add();
    else if (chance < 50) compareLacking();
    else if (chance < 80) await advance(random.integer(0, secondsPerStep * 6_000));
    else if (chance < 97) blacklist.prune();
    else stepClock();
    for (let asked = 0; asked < 6; asked += 1) ask(random.pick(recent));
  }

  return {
    blacklist,
    step,
    mint,
    askAll: () => recent.forEach(ask),
    /** Until all that lives has died, by a clock that is right. */
    async end() {
      stepClock(false);
      for (let hour = 0; hour < 30; hour += 1) {
        await advance(3_600_000);
        blacklist.prune();
      }
    },
  };
}

async function live(seed: string, sizes: Sizes, hashKey?: Uint8Array): Promise<number> {
  const history = createHistory(seed, sizes, hashKey);
  for (let token = 0; token < sizes.tokens; token += 1) history.mint();
  let mostEntries = 0;
  for (let step = 0; step < sizes.steps; step += 1) {
    await history.step();
    mostEntries = Math.max(mostEntries, history.blacklist.entries);
    if (step % 500 === 0) history.askAll();
  }
  history.askAll();
  await history.end();
  expect(history.blacklist.entries).to.equal(0);
  return mostEntries;
}

describe("blacklist, through a long history with a clock that steps", () => {
  for (const seed of ["one", "two"]) {
    it(`answers as plain maps do: ${seed}`, async () => {
      const sizes = { steps: 4_000, users: 3_000, tokens: 2_000, mostAtOnce: 40 };
      expect(await live(seed, sizes)).to.be.greaterThan(3_000);
    });
  }

  const few = { steps: 2_000, users: 500, tokens: 400, mostAtOnce: 20 };
  /** The first byte's 256 words set all bits, the others none. */
  const allOnes = new Uint8Array(hashKeyBytes).fill(0xff, 0, 1_024);
  const keys = { first: new Uint8Array(hashKeyBytes), last: allOnes };
  for (const [place, hashKey] of Object.entries(keys)) {
    it(`answers as plain maps do where all names fall on the ${place} group`, async () => {
      expect(await live(place, few, hashKey)).to.be.greaterThan(500);
    });
  }
});
