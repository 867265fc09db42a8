import { expect } from "chai";
import { afterEach, beforeEach, describe, it } from "mocha";
import { dependencyUnavailable } from "../../shared/errors.ts";
import { silentLog } from "../../shared/log.ts";
import type { RevocationStore } from "../../shared/ports/revocation-store.ts";
import { tokenBucketOf } from "../../shared/revocation/retention.ts";
import { createRepair } from "../../workers/pruner/repair.ts";
import { createWorkerWorld, type WorkerWorld } from "../support/worker-world.ts";

type Call = (...args: never[]) => Promise<unknown>;

describe("pruner: calls of a repair that broke off, which arrive late", () => {
  let world: WorkerWorld;
  let store: RevocationStore;
  let jti: string;

  beforeEach(async () => {
    world = await createWorkerWorld();
    store = world.storeServer.connect();
    await world.start();
    const user = await world.addUser();
    jti = await world.addToken(user.id);
    await world.publish(await world.changeUser(user.id, "user.deactivated"));
    await world.close();
    world.forgetWorkers();
  });
  afterEach(() => world.close());

  const repairWith = (changed: Partial<RevocationStore>) =>
    createRepair({
      ledger: world.database.ledger,
      store: { ...store, ...changed },
      platform: world.platform,
      names: world.names,
      log: silentLog,
    });

  /** The first call of `method` is not answered, and arrives only when it is let go. */
  function delayFirst(method: "discard" | "completeRepair") {
    const held: { arrive?: () => Promise<unknown> } = {};
    const call: Call = store[method];
    const delayed: Call = (...args) => {
      if (held.arrive !== undefined) return call(...args);
      held.arrive = () => call(...args);
      return Promise.reject(dependencyUnavailable("redis", new Error("no answer")));
    };
    return { held, changed: { [method]: delayed } as Partial<RevocationStore> };
  }

  it("take no bucket away that the next one has filled", async () => {
    const token = await world.database.sessions.findToken(jti);
    const bucket = `tokens:${tokenBucketOf(Math.ceil((token?.expiresAtMs ?? 0) / 1_000))}`;
    world.storeServer.damage(bucket);
    const { held, changed } = delayFirst("discard");
    const repair = repairWith({
      ...changed,
      async completeRepair(lock, repaired) {
        expect(await held.arrive?.()).to.equal(false);
        return store.completeRepair(lock, repaired);
      },
    });
    const first = await repair({ asWiped: false, damaged: [bucket] }).catch(() => "broken off");
    const second = await repair({ asWiped: false, damaged: [bucket] });
    expect([first, second]).to.deep.equal(["broken off", "repaired"]);
    expect(await world.isTokenRevoked(jti)).to.equal(true);
  });

  it("make no store valid that the next one has filled only in part", async () => {
    world.storeServer.wipe();
    const { held, changed } = delayFirst("completeRepair");
    const seen: unknown[] = [];
    const repair = repairWith({
      ...changed,
      async repair(lock, additions) {
        if (held.arrive !== undefined) seen.push(await held.arrive(), (await store.readState()).incarnation);
        return store.repair(lock, additions);
      },
    });
    const first = await repair({ asWiped: false }).catch(() => "broken off");
    world.storeServer.wipe();
    expect([first, await repair({ asWiped: false })]).to.deep.equal(["broken off", "repaired"]);
    expect(seen.slice(0, 2)).to.deep.equal([false, null]);
    expect(await world.isTokenRevoked(jti)).to.equal(true);
  });
});
