import { expect } from "chai";
import { after, before, it } from "mocha";
import { silentLog } from "../../shared/log.ts";
import { connectMongo } from "../../shared/mongo/database.ts";
import { createPlatform } from "../../shared/platform.ts";
import type { Database } from "../../shared/ports/database.ts";
import type { RevocationStore } from "../../shared/ports/revocation-store.ts";
import { connectRedisStore } from "../../shared/redis/revocation-store.ts";
import { createFingerprinter } from "../../shared/revocation/fingerprint.ts";
import { unpackAdditions } from "../../shared/revocation/packed-additions.ts";
import type { StepSizes } from "../../workers/pruner/ledger-contents.ts";
import { createRepair } from "../../workers/pruner/repair.ts";
import { dropMongoDatabase } from "../support/drop-mongo-database.ts";
import { fillLedger, jtiAt, subjectAt } from "../support/fill-ledger.ts";
import { createRedisProcess, type RedisProcess } from "../support/redis-process.ts";
import { missingPrograms } from "../support/requirements.ts";
import { describeWithServices, freshNamespace } from "../support/services.ts";
import { intercept } from "../support/worker-world.ts";

const issuer = "https://quash.test";
const revocations = 2_000;

describeWithServices("a store rebuilt from a ledger of thousands", ["mongo"], ({ mongoUrl }) => {
  const platform = createPlatform();
  const fingerprint = createFingerprinter(issuer);
  const namespace = freshNamespace();
  let redis: RedisProcess;
  let database: Database;
  let store: RevocationStore;
  let expected: ReadonlySet<string>;

  before(async function () {
    if (missingPrograms(["redis-server"]).length > 0) this.skip();
    this.timeout(60_000);
    redis = await createRedisProcess();
    await redis.start();
    database = await connectMongo({ url: mongoUrl, namespace, log: silentLog, ...platform });
    store = await connectRedisStore({ url: redis.url, namespace, log: silentLog, ...platform });
    await database.migrate();
    const filled = await fillLedger({ mongoUrl, namespace, revocations, tokensPerRow: 49 });
    const names = [
      ...Array.from({ length: filled.rows }, (_, at) => subjectAt(at)),
      ...Array.from({ length: filled.tokens }, (_, at) => jtiAt(at)),
    ];
    expected = new Set(names.map((name) => fingerprint(issuer, name)));
  });

  after(async function () {
    // The stand-in for MongoDB drops a database entry by entry.
    this.timeout(180_000);
    await store.close();
    await database.close();
    await redis.close();
    await dropMongoDatabase(mongoUrl, namespace);
  });

  const repairWith = (given: RevocationStore, sizes?: StepSizes) =>
    createRepair({
      ledger: database.ledger,
      store: given,
      platform,
      names: { fingerprint, ownIssuer: issuer },
      log: silentLog,
      ...(sizes === undefined ? {} : { sizes }),
    });

  /** As they lie in the store: one that was appended twice counts twice. */
  async function found(): Promise<string[]> {
    const all: string[] = [];
    for await (const chunk of store.load()) {
      all.push(...unpackAdditions(chunk).map((one) => (one.kind === "cut-off" ? one.subject : one.token)));
    }
    return all;
  }

  async function expectWhole(): Promise<void> {
    const all = await found();
    expect(all).to.have.length(revocations);
    expect(new Set(all)).to.deep.equal(expected);
  }

  it("holds each of them once when it was empty", async () => {
    expect(await repairWith(store)({ asWiped: false })).to.equal("repaired");
    await expectWhole();
  });

  it("holds each of them once when it held them all", async () => {
    expect(await repairWith(store)({ asWiped: true })).to.equal("repaired");
    await expectWhole();
  });

  it("holds each of them once when the server died half-way, and its repairer began anew", async () => {
    let chunks = 0;
    const dying = intercept(store, "repair", async () => {
      chunks += 1;
      if (chunks !== 20) return;
      await redis.stop("SIGKILL");
      await redis.start();
    });
    await redis.stop("SIGKILL");
    await redis.start("--appendonly", "no");
    await repairUntilDone(repairWith(dying, { rows: 30, tokens: 100 }));
    expect(chunks).to.be.above(20);
    await expectWhole();
  });

  /** As the look does: what was lost or refused is begun again. */
  async function repairUntilDone(repair: ReturnType<typeof createRepair>): Promise<void> {
    for (let attempt = 0; attempt < 100; attempt += 1) {
      const outcome = await repair({ asWiped: false }).catch(() => "failed");
      if (outcome === "repaired") return;
      await platform.timers.sleep(100);
    }
    throw new Error("not repaired");
  }
});
