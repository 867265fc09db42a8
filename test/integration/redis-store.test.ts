import { expect } from "chai";
import { afterEach, beforeEach, describe, it } from "mocha";
import { contentsOf, cutOff, expectCode, repairWith, token } from "../contract/revocation-store.contract.ts";
import { eventually } from "../support/eventually.ts";
import { report } from "../support/instance-report.ts";
import { createRecordingLog, useOwnRedis } from "../support/own-redis.ts";
import { createRedisProcess, type RedisProcess } from "../support/redis-process.ts";
import { repairEnd, usualLongest } from "../support/repair-end.ts";
import { describeUnlessMissing, missingPrograms } from "../support/requirements.ts";

const nowSeconds = () => Math.floor(Date.now() / 1000);

describeUnlessMissing("Redis store, on its server", missingPrograms(["redis-server"]), () => {
  const own = useOwnRedis();

  it("keeps every key under one hash tag, and lets exactly those of revocations expire", async () => {
    await own().server.start();
    const store = await own().connectValid();
    await store.sync(report("one", "first"));
    const exp = nowSeconds() + 600;
    const unrecorded = { ...token("u", exp), kind: "unrecorded-token", until: exp } as const;
    await store.add([token("t", exp), unrecorded, cutOff("a", 1)]);

    const expiries = await own().withClient(async (redis) => {
      const keys = await redis.keys("*");
      return Promise.all(keys.map(async (key) => ({ key, at: await redis.expiretime(key) })));
    });
    const expiring = expiries.filter(({ at }) => at !== -1);
    expect(expiries.filter(({ key }) => !key.startsWith(`{${own().namespace}}:`))).to.deep.equal([]);
    expect(expiring).to.have.length(3);
    for (const { at } of expiring) expect(at).to.be.within(exp + 300, exp + 300 + 300 + 900);
  });

  it("keeps a token that has expired by its clock for one longest lifetime and the clock error, no longer", async () => {
    await own().server.start();
    const store = await own().connectValid();
    const from = nowSeconds();
    const expired = token("t", from - 86_400);
    const key = `{${own().namespace}}:tokens:${Math.floor(expired.exp / 60)}`;
    await store.add([expired]);
    const added = await own().withClient((redis) => redis.expiretime(key));
    await own().withClient((redis) => redis.expireat(key, from + 60));
    await store.beginRepair("lock");
    await store.confirmLongest(usualLongest);
    await store.repair("lock", [expired]);
    const repaired = await own().withClient((redis) => redis.expiretime(key));

    expect(added).to.be.within(from + 1_200, from + 1_210);
    expect(repaired).to.be.within(from + 1_200, from + 1_210);
  });

  it("cleans the index of buckets that the server has dropped", async () => {
    await own().server.start();
    const store = await own().connectValid();
    await own().withClient((redis) => redis.zadd(`{${own().namespace}}:index:tokens`, 1000, "11"));

    expect(await store.purgeExpired()).to.equal(1);
    expect(await store.purgeExpired()).to.equal(0);
  });

  it("warns of a server that may evict", async () => {
    await own().server.start("--maxmemory-policy", "allkeys-lru");
    const log = createRecordingLog();
    await own().connect({ log });

    await eventually(() => expect(log.lines).to.include("redis.eviction-policy"));
  });

  it("answers a sync with about a megabyte at most, and with the rest when asked again", async () => {
    await own().server.start();
    const store = await own().connectValid();
    const exp = nowSeconds() + 600;
    const tokens = Array.from({ length: 5_000 }, (_, at) => token(`t${at}`, exp));
    for (let added = 0; added < 15; added += 1) await store.add(tokens);

    const first = (await store.sync(report("one", "first"))).entries;
    const rest = (await store.sync(report("one", "first", first.at(-1)?.position))).entries;
    expect(first.length).to.be.within(10, 11);
    expect(first.length + rest.length).to.equal(15);
    expect(rest[0]?.previous).to.equal(first.at(-1)?.position);
  });

  it("writes a cut-off again once the one as strict is past its until", async () => {
    await own().server.start();
    const store = await own().connect();
    await store.beginRepair("lock");
    const longest = { tokenLifetimeSeconds: 0, maxStalenessMs: 0, version: 1 };
    await store.completeRepair("lock", repairEnd("first", { longest }));
    const first = await store.add([cutOff("a", 1)]);

    await eventually(async () => {
      expect((await store.add([cutOff("a", 1)])).position > first.position).to.equal(true);
    });
  });

  it("takes no sync without the replicas that the server asks for, shows no instances, and can still be read", async () => {
    await own().server.start();
    const store = await own().connectValid();
    await own().withClient((redis) => redis.config("SET", "min-replicas-to-write", "1"));

    await expectCode(store.sync(report("one", "first")), "dependency-unavailable");
    await expectCode(store.add([cutOff("a", 1)]), "dependency-unavailable");
    await expectCode(store.readInstances(), "dependency-unavailable");
    expect(await store.readState()).to.include({ incarnation: "first", replicaLagMs: 0 });
  });

  describe("with a replica", () => {
    let replica: RedisProcess;

    beforeEach(async () => {
      replica = await createRedisProcess();
      await own().server.start("--repl-diskless-sync-delay", "0");
      await replica.start("--replicaof", `127.0.0.1 ${new URL(own().server.url).port}`);
      await eventually(() =>
        own().withClient(async (redis) => {
          expect(await redis.info("replication")).to.match(/state=online/);
        }),
      );
    });
    afterEach(() => replica.close());

    it("says for how long a primary that is cut off from it renews leases, also once it was promoted", async () => {
      await own().withClient((redis) => redis.config("SET", "min-replicas-max-lag", "7"));
      const store = await own().connectValid();
      const before = await store.readState();
      await own().withClient((redis) => redis.replicaof("NO", "ONE"), replica.url);
      const promoted = await own().connect({ url: replica.url });
      await eventually(() => repairWith(promoted, { incarnation: "second", isFirst: false }));

      expect(before.replicaLagMs).to.equal(9_000);
      expect((await promoted.readState()).replicaLagMs).to.equal(12_000);
    });

    it("warns of a primary that goes on writing without it", async () => {
      const log = createRecordingLog();
      await own().connect({ log });

      await eventually(() => expect(log.lines).to.include("redis.min-replicas"));
    });

    it("gives no instance a lease on a replica, and is invalid on it once it is promoted", async () => {
      const log = createRecordingLog();
      const primary = await own().connectValid();
      await primary.add([cutOff("a", 1)]);
      const onReplica = await own().connect({ log, url: replica.url });
      await eventually(async () => expect(await contentsOf(onReplica)).to.have.length(1));
      await expectCode(onReplica.sync(report("one", "first")), "dependency-unavailable");
      // The address may lead to the new primary by now.
      await eventually(() => expect(log.lines).to.include("redis.disconnected"));
      await own().withClient((redis) => redis.replicaof("NO", "ONE"), replica.url);

      await eventually(() => expectCode(onReplica.add([cutOff("a", 2)]), "store-invalid"));
      expect(await onReplica.beginRepair("lock")).to.include({ incarnation: "first" });
    });
  });
});
