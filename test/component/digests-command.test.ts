import { expect } from "chai";
import { afterEach, beforeEach, describe, it } from "mocha";
import type { RevocationStore } from "../../shared/ports/revocation-store.ts";
import type { Addition } from "../../shared/revocation/addition.ts";
import { digestBucketOf } from "../../shared/revocation/digest.ts";
import { CommandFault } from "../../workers/command-fault.ts";
import { createFindDifferences, type Difference } from "../../workers/digests/find-differences.ts";
import { createWorkerWorld, type WorkerWorld } from "../support/worker-world.ts";

describe("digests command", () => {
  let world: WorkerWorld;
  let userId: string;

  beforeEach(async () => {
    world = await createWorkerWorld();
    await world.start();
    userId = (await world.addUser()).id;
    await world.addToken(userId);
    await world.publish(await world.changeUser(userId, "user.deactivated"));
    await world.publish(world.event("token.revoked", { details: { jti: "of another issuer's" } }));
  });
  afterEach(() => world.close());

  async function differences(changed: Partial<RevocationStore> = {}): Promise<readonly Difference[]> {
    const { database, store, platform, names } = world;
    const deps = { ledger: database.ledger, store: { ...store, ...changed }, platform, names };
    const finding = createFindDifferences(deps)();
    finding.catch(() => undefined);
    await platform.advance(10_000);
    return finding;
  }
  const stopWorkers = () => world.close();
  const token = (name: string): Addition => ({
    kind: "token",
    token: world.names.fingerprint(world.names.ownIssuer, name),
    exp: Math.ceil(world.platform.clock.wallMs() / 1_000) + 900,
  });
  const cutOffBucket = () => {
    const subject = world.names.fingerprint(world.names.ownIssuer, userId);
    return digestBucketOf({ kind: "cut-off", subject, epoch: 1, notBefore: 0, until: 0 });
  };

  it("finds none while ledger and store agree, at any time until all has gone", async () => {
    for (let minute = 0; minute < 50; minute += 1) {
      expect(await differences()).to.deep.equal([]);
      await world.platform.advance(50_000);
    }
  });

  it("finds none after a repair, which has the store keep for longer what the ledger forgets", async () => {
    await world.platform.advance(600_000);
    world.storeServer.wipe();
    await world.platform.advance(2_000);
    for (let minute = 0; minute < 50; minute += 1) {
      expect(await differences()).to.deep.equal([]);
      await world.platform.advance(50_000);
    }
  });

  it("names the buckets of which the store has lost something, and how much", async () => {
    await stopWorkers();
    world.storeServer.lose(({ kind }) => kind !== "unrecorded-token");
    const found = await differences();
    expect(found.map(({ missing, unknown }) => [missing, unknown])).to.deep.equal([
      [1, 0],
      [1, 0],
    ]);
    expect(found.map(({ bucket }) => bucket)).to.include(cutOffBucket());
  });

  it("names the bucket of a token in the store that the ledger does not know", async () => {
    await stopWorkers();
    await world.store.add([token("nobody's")]);
    const bucket = digestBucketOf(token("nobody's"));
    expect(await differences()).to.deep.equal([{ bucket, missing: 0, unknown: 1 }]);
  });

  it("leaves out what was on its way when it looked first", async () => {
    let loads = 0;
    const found = await differences({
      async *load() {
        loads += 1;
        if (loads > 2) yield* world.store.load();
      },
    });
    expect(found).to.deep.equal([]);
    expect(loads).to.be.above(2);
  });

  it("compares nothing while the store is invalid, or holds damaged buckets, and says so", async () => {
    await stopWorkers();
    world.storeServer.damage("tokens:1");
    const damaged = await differences().catch((error: unknown) => error);
    world.storeServer.wipe();
    const invalid = await differences().catch((error: unknown) => error);
    expect([damaged, invalid].map((error) => error instanceof CommandFault)).to.deep.equal([true, true]);
    expect(String(damaged)).to.include("tokens:1");
    expect(String(invalid)).to.include("not valid");
  });
});
