import { expect } from "chai";
import { Redis } from "ioredis";
import { afterEach, beforeEach, describe, it } from "mocha";
import { type Log, silentLog } from "../../shared/log.ts";
import { createPlatform } from "../../shared/platform.ts";
import type { RevocationStore } from "../../shared/ports/revocation-store.ts";
import { connectRedisStore } from "../../shared/redis/revocation-store.ts";
import {
  contentsOf,
  cutOff,
  expectCode,
  listen,
  repairWith,
  report,
  token,
} from "../contract/revocation-store.contract.ts";
import { eventually } from "../support/eventually.ts";
import { createRedisProcess, type RedisProcess } from "../support/redis-process.ts";
import { describeUnlessMissing, missingPrograms } from "../support/requirements.ts";
import { freshNamespace } from "../support/services.ts";

const nowSeconds = () => Math.floor(Date.now() / 1000);

describeUnlessMissing(
  "revocation store on a Redis server of its own",
  missingPrograms(["redis-server"]),
  () => {
    let server: RedisProcess;
    let namespace: string;
    const opened: RevocationStore[] = [];

    beforeEach(async () => {
      namespace = freshNamespace();
      server = await createRedisProcess();
    });
    afterEach(async () => {
      await Promise.all(opened.splice(0).map((store) => store.close()));
      await server.close();
    });

    async function connect(log: Log = silentLog, url = server.url): Promise<RevocationStore> {
      const store = await connectRedisStore({ url, namespace, log, ...createPlatform() });
      opened.push(store);
      return store;
    }
    async function connectValid(): Promise<RevocationStore> {
      const store = await connect();
      await repairWith(store, { incarnation: "first", isFirst: true });
      return store;
    }

    it("is invalid after a restart from the append-only file, and has kept what it took", async () => {
      await server.start();
      const store = await connectValid();
      const kept = token("t", nowSeconds() + 600);
      const { position } = await store.add([kept]);
      await server.stop("SIGKILL");
      await server.start();

      await eventually(() => expectCode(store.add([kept]), "store-invalid"));
      expect((await store.sync(report("one", "first", position))).incarnation).to.equal(null);
      expect(await contentsOf(store)).to.deep.equal([kept]);
      expect(await store.beginRepair("lock")).to.deep.equal({ incarnation: "first", head: position });
    });

    it("goes on with the chain of positions when it was repaired after a restart", async () => {
      await server.start();
      const store = await connectValid();
      const before = await store.add([cutOff("a", 1)]);
      await server.stop();
      await server.start();
      await eventually(() => repairWith(store, { incarnation: "second", isFirst: false }));
      const written = await store.add([cutOff("a", 2)]);

      const { entries } = await store.sync(report("one", "second", before.position));
      expect(written.incarnation).to.equal("second");
      expect(entries.map(({ previous }) => previous)).to.deep.equal([before.position]);
    });

    it("tells subscribers of the gap once they hear again", async () => {
      await server.start();
      const store = await connectValid();
      const heard = await listen(store);
      await server.stop();
      await server.start();
      await eventually(() => expect(heard.gaps()).to.equal(1));
      await repairWith(store, { incarnation: "second", isFirst: false });
      await store.add([cutOff("a", 1)]);

      await eventually(() => expect(heard.announcements.map((a) => a.incarnation)).to.deep.equal(["second"]));
    });

    it("refuses calls at once while the server is away, and takes them again by itself", async () => {
      await server.start();
      const store = await connectValid();
      await server.stop();
      await eventually(() => expectCode(store.readState(), "dependency-unavailable"));
      const from = performance.now();
      await expectCode(store.sync(report("one", "first")), "dependency-unavailable");
      const tookMs = performance.now() - from;
      await server.start();

      expect(tookMs).to.be.below(200);
      await eventually(() => store.sync(report("one", "first")));
    });

    it("connects while the server is away, and tells a subscriber when it comes", async () => {
      const store = await connect();
      const heard = await listen(store);
      expect(await store.ping()).to.equal(false);
      await server.start();

      await eventually(() => expect(heard.gaps()).to.equal(1));
      await eventually(() => repairWith(store, { incarnation: "first", isFirst: true }));
      await store.add([cutOff("a", 1)]);
      await eventually(() => expect(heard.announcements).to.have.length(1));
    });

    it("refuses a call that a suspended server does not answer, and recovers once it goes on", async () => {
      await server.start();
      const store = await connectValid();
      server.signal("SIGSTOP");
      await expectCode(store.sync(report("one", "first")), "dependency-unavailable");
      server.signal("SIGCONT");

      await eventually(async () =>
        expect((await store.sync(report("one", "first"))).incarnation).to.equal("first"),
      );
    });

    it("logs each loss of a connection once, not each attempt", async () => {
      await server.start();
      const log = recordingLog();
      const store = await connect(log);
      await server.stop();
      await eventually(() => expectCode(store.readState(), "dependency-unavailable"));
      await server.start();
      await eventually(() => store.readState());
      await eventually(() =>
        expect(log.lines.filter((line) => line === "redis.connected")).to.have.length(2),
      );

      expect(log.lines.filter((line) => line === "redis.disconnected")).to.have.length(2);
    });

    it("keeps every key under one hash tag, and lets exactly those of revocations expire", async () => {
      await server.start();
      const store = await connectValid();
      await store.sync(report("one", "first"));
      const exp = nowSeconds() + 600;
      const unrecorded = { ...token("u", exp), kind: "unrecorded-token", until: exp } as const;
      await store.add([token("t", exp), unrecorded, cutOff("a", 1)]);

      const expiries = await withRedis(server.url, async (redis) => {
        const keys = await redis.keys("*");
        return Promise.all(keys.map(async (key) => ({ key, at: await redis.expiretime(key) })));
      });
      const expiring = expiries.filter(({ at }) => at !== -1);
      expect(expiries.filter(({ key }) => !key.startsWith(`{${namespace}}:`))).to.deep.equal([]);
      expect(expiring).to.have.length(3);
      for (const { at } of expiring) expect(at).to.be.within(exp + 300, exp + 300 + 300 + 900);
    });

    it("cleans the index of buckets that the server has dropped", async () => {
      await server.start();
      const store = await connectValid();
      await withRedis(server.url, (redis) => redis.zadd(`{${namespace}}:index:tokens`, 1000, "11"));

      expect(await store.purgeExpired()).to.equal(1);
      expect(await store.purgeExpired()).to.equal(0);
    });

    it("loads around a broken record and a key of another type, and says so", async () => {
      await server.start();
      const log = recordingLog();
      const store = await connect(log);
      await repairWith(store, { incarnation: "first", isFirst: true });
      const exp = nowSeconds() + 600;
      await store.add([token("t", exp), token("t2", exp + 60), cutOff("a", 1)]);
      await withRedis(server.url, async (redis) => {
        const [bucket = "", foreign = ""] = (await redis.keys(`{${namespace}}:tokens:*`)).sort();
        await redis.append(bucket, "broken");
        await redis.del(foreign);
        await redis.sadd(foreign, "x");
      });

      expect((await contentsOf(store)).map(({ kind }) => kind)).to.deep.equal(["token", "cut-off"]);
      expect(log.lines.filter((line) => line === "redis.bucket-damaged")).to.have.length(2);
    });

    it("warns of a server that may evict", async () => {
      await server.start("--maxmemory-policy", "allkeys-lru");
      const log = recordingLog();
      await connect(log);

      await eventually(() => expect(log.lines).to.include("redis.eviction-policy"));
    });

    describe("with a replica", () => {
      let replica: RedisProcess;

      beforeEach(async () => {
        replica = await createRedisProcess();
        await server.start("--repl-diskless-sync-delay", "0");
        await replica.start("--replicaof", `127.0.0.1 ${new URL(server.url).port}`);
        await eventually(() =>
          withRedis(server.url, async (redis) => {
            expect(await redis.info("replication")).to.match(/state=online/);
          }),
        );
      });
      afterEach(() => replica.close());

      it("warns of a primary that goes on writing without it", async () => {
        const log = recordingLog();
        await connect(log);

        await eventually(() => expect(log.lines).to.include("redis.min-replicas"));
      });

      it("gives no instance a lease on a replica, and is invalid on it once it is promoted", async () => {
        const primary = await connectValid();
        await primary.add([cutOff("a", 1)]);
        const onReplica = await connect(silentLog, replica.url);
        await eventually(async () => expect(await contentsOf(onReplica)).to.have.length(1));
        await expectCode(onReplica.sync(report("one", "first")), "dependency-unavailable");
        await withRedis(replica.url, (redis) => redis.replicaof("NO", "ONE"));

        await eventually(() => expectCode(onReplica.add([cutOff("a", 2)]), "store-invalid"));
        expect(await onReplica.beginRepair("lock")).to.include({ incarnation: "first" });
      });
    });
  },
);

async function withRedis<T>(url: string, use: (redis: Redis) => Promise<T>): Promise<T> {
  const redis = new Redis(url);
  try {
    return await use(redis);
  } finally {
    redis.disconnect();
  }
}

function recordingLog(): Log & { readonly lines: string[] } {
  const lines: string[] = [];
  const note = (event: string) => void lines.push(event);
  const log: Log = { debug: note, info: note, warn: note, error: note, child: () => log };
  return { ...log, lines };
}
