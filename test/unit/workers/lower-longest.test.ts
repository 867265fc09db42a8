import { expect } from "chai";
import { beforeEach, describe, it } from "mocha";
import { silentLog } from "../../../shared/log.ts";
import type { InstanceReport } from "../../../shared/ports/revocation-store.ts";
import type { Longest } from "../../../shared/revocation/longest.ts";
import { createLowerLongest, type LowerLongestDeps } from "../../../workers/pruner/lower-longest.ts";
import { report } from "../../support/instance-report.ts";
import { repairEnd } from "../../support/repair-end.ts";
import { createWorkerWorld, intercept, type WorkerWorld } from "../../support/worker-world.ts";

const usual: Longest = { tokenLifetimeSeconds: 900, maxStalenessMs: 5_000 };
const longer: Longest = { tokenLifetimeSeconds: 3_600, maxStalenessMs: 60_000 };
/** One longest lifetime, the bound with the longest staleness, and the clock error allowed. */
const waitMs = 3_600_000 + 72_000 + 300_000;

describe("lowering the longest values in use", () => {
  let world: WorkerWorld;
  let lowerLongest: ReturnType<typeof createLowerLongest>;

  beforeEach(async () => {
    world = await createWorkerWorld();
    await prepare("first");
    await world.store.confirmLongest((await world.database.ledger.raiseLongest(longer)).longest);
    await register("usual");
    lowerLongest = create();
  });

  const create = (changed: Partial<LowerLongestDeps> = {}) => {
    const { store, database, platform } = world;
    const deps = { store, ledger: database.ledger, clock: platform.clock, log: silentLog };
    return createLowerLongest({ ...deps, ...changed });
  };
  async function prepare(incarnation: string): Promise<void> {
    const { store, database } = world;
    await database.ledger.writeFence(incarnation);
    const longest = (await database.ledger.readFence())?.longest;
    await store.beginRepair("lock");
    await store.completeRepair("lock", repairEnd(incarnation, longest === undefined ? {} : { longest }));
  }
  const register = (id: string, changed: Partial<InstanceReport> = {}) =>
    world.store.sync({ ...report(id, "first"), ...changed });

  /** As it goes round every half minute. */
  async function goRound(ms: number): Promise<void> {
    for (let passed = 30_000; passed <= ms; passed += 30_000) {
      await lowerLongest();
      await world.platform.advance(30_000);
    }
    await lowerLongest();
  }
  const held = async () => {
    const ofFence = (await world.database.ledger.readFence())?.longest;
    const ofStore = (await world.store.readState()).longest;
    expect([ofFence?.maxStalenessMs, ofFence?.tokenLifetimeSeconds]).to.deep.equal([
      ofStore.maxStalenessMs,
      ofStore.tokenLifetimeSeconds,
    ]);
    return ofStore;
  };
  const expectKept = async () => expect(await held()).to.include(longer);
  const expectLowered = async () => expect(await held()).to.include(usual);

  it("is done once nobody was registered with longer ones for that long, in the fence as in the store", async () => {
    await goRound(waitMs);
    await expectKept();
    await goRound(60_000);
    await expectLowered();
  });

  it("lowers each to what those have who are registered", async () => {
    await register("long", { tokenLifetimeSeconds: 3_600 });
    await goRound(waitMs + 60_000);
    expect(await held()).to.include({ tokenLifetimeSeconds: 3_600, maxStalenessMs: 5_000 });
  });

  it("waits anew when somebody wanted longer ones meanwhile", async () => {
    await goRound(waitMs);
    await world.store.wantLongest(longer);
    await goRound(waitMs);
    await expectKept();
    await goRound(60_000);
    await expectLowered();
    expect((await world.store.readState()).wanted).to.deep.equal([]);
  });

  it("is not put off by somebody who wants what the others have", async () => {
    for (let passed = 0; passed < waitMs; passed += 600_000) {
      await world.store.wantLongest(usual);
      await goRound(600_000);
    }
    await goRound(60_000);
    await expectLowered();
  });

  it("waits anew under another incarnation", async () => {
    await goRound(waitMs);
    await prepare("second");
    await goRound(waitMs);
    await expectKept();
  });

  it("waits anew after a gap in which somebody may have come and gone", async () => {
    await goRound(waitMs);
    await world.platform.advance(3_600_000);
    await goRound(waitMs);
    await expectKept();
  });

  it("does nothing while nobody is registered", async () => {
    await world.store.removeInstances((await world.store.readInstances()).instances);
    await goRound(2 * waitMs);
    await expectKept();
  });

  it("does nothing while store and fence have not the same incarnation", async () => {
    await world.database.ledger.writeFence("another");
    await goRound(2 * waitMs);
    await expectKept();
  });

  it("leaves the fence to who raised it between the two, and the store follows it", async () => {
    const { ledger } = world.database;
    const raised = { version: 0 };
    lowerLongest = create({
      ledger: intercept(ledger, "lowerLongest", async () => {
        await world.store.wantLongest(longer);
        const { longest } = await ledger.raiseLongest(longer);
        await world.store.confirmLongest(longest);
        raised.version = longest.version;
      }),
    });
    await goRound(waitMs + 60_000);
    expect(raised.version).to.be.above(0);
    await expectKept();
  });

  it("is ended by another one when the first one dies between the two", async () => {
    lowerLongest = create({
      ledger: intercept(world.database.ledger, "lowerLongest", () => {
        throw new Error("killed");
      }),
    });
    await goRound(waitMs + 60_000).catch(() => undefined);
    expect((await world.database.ledger.readFence())?.longest).to.include(longer);
    expect((await world.store.readState()).longest).to.include(usual);

    lowerLongest = create();
    await goRound(waitMs + 60_000);
    await expectLowered();
  });
});
