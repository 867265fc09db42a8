import { expect } from "chai";
import { afterEach, beforeEach, describe, it } from "mocha";
import { createBlacklist } from "../../api/blacklist/blacklist.ts";
import { type BlacklistFeed, startBlacklistFeed } from "../../api/blacklist/blacklist-feed.ts";
import { silentLog } from "../../shared/log.ts";
import type { RevocationStore } from "../../shared/ports/revocation-store.ts";
import {
  createWorkerWorld,
  issuer,
  tokenLifetimeSeconds,
  type WorkerWorld,
} from "../support/worker-world.ts";

const maxStalenessMs = 5_000;

describe("a second damaged bucket, which the load after the repair of the first one meets", () => {
  let world: WorkerWorld;
  let feed: BlacklistFeed;
  let damagedByLoads: string[];

  beforeEach(async () => {
    world = await createWorkerWorld();
    damagedByLoads = [];
    await world.start();
    await world.platform.advance(3_000);
    const { platform, names } = world;
    const blacklist = createBlacklist({
      ...platform,
      fingerprint: names.fingerprint,
      ownIssuer: issuer,
    });
    feed = await startBlacklistFeed({
      ...platform,
      store: finding(world.storeServer.connect()),
      blacklist,
      instanceId: "one",
      log: silentLog,
      syncIntervalMs: 1_000,
      syncDeadlineMs: 2_500,
      maxStalenessMs,
      tokenLifetimeSeconds,
      policy: "strict",
    });
    await platform.advance(maxStalenessMs);
  });

  afterEach(async () => {
    const closing = feed.close();
    await world.platform.advance(10_000);
    await closing;
    await world.close();
  });

  function finding(store: RevocationStore): RevocationStore {
    const load = () => {
      const bucket = damagedByLoads.shift();
      if (bucket !== undefined) world.storeServer.damage(bucket);
      return store.load();
    };
    return { ...store, load };
  }

  async function refusedMs(withinMs: number): Promise<number> {
    let refused = 0;
    for (let ms = 0; ms < withinMs; ms += 500) {
      await world.platform.advance(500);
      if (!feed.isAccepting()) refused += 500;
    }
    return refused;
  }

  it("does not keep an instance from accepting until its repair would be due again", async () => {
    damagedByLoads = ["tokens:2"];
    world.storeServer.damage("tokens:1");
    expect(await refusedMs(60_000)).to.be.lessThan(maxStalenessMs);
    expect(damagedByLoads).to.deep.equal([]);
    expect((await world.store.readDamaged()).buckets).to.deep.equal([]);
  });
});
