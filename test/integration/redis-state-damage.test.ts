import { expect } from "chai";
import type { Redis } from "ioredis";
import { afterEach, beforeEach, it } from "mocha";
import { createInProcessDatabaseServer } from "../../shared/in-process/database.ts";
import { InProcessEventLogServer } from "../../shared/in-process/event-log.ts";
import { silentLog } from "../../shared/log.ts";
import { createPlatform } from "../../shared/platform.ts";
import type { RevocationStore } from "../../shared/ports/revocation-store.ts";
import { millisecondsOf } from "../../shared/revocation/position.ts";
import { type RunningWorker, startWorker } from "../../workers/start-worker.ts";
import { contentsOf, cutOff, expectCode } from "../contract/revocation-store.contract.ts";
import { eventually } from "../support/eventually.ts";
import { report } from "../support/instance-report.ts";
import { useOwnRedis } from "../support/own-redis.ts";
import { describeUnlessMissing, missingPrograms } from "../support/requirements.ts";

const hourMs = 3_600_000;

describeUnlessMissing(
  "Redis store, whose notes somebody else changed",
  missingPrograms(["redis-server"]),
  () => {
    const own = useOwnRedis();
    let store: RevocationStore;
    let startOne: () => Promise<RunningWorker>;
    let workers: RunningWorker[];

    beforeEach(async () => {
      await own().server.start();
      store = await own().connect();
      const platform = createPlatform();
      const database = createInProcessDatabaseServer();
      const log = new InProcessEventLogServer({ ...platform, namespace: "test" });
      await database.connect().ledger.raiseLongest({ tokenLifetimeSeconds: 900, maxStalenessMs: 5_000 });
      workers = [];
      startOne = async () => {
        const worker = await startWorker({
          settings: { namespace: "test", issuer: "https://quash.test", syncIntervalMs: 100 },
          platform,
          log: silentLog,
          parts: { database: database.connect(), store: await own().connect(), eventLog: log.connect() },
        });
        workers.push(worker);
        return worker;
      };
      await (await startOne()).close();
      await store.sync(report("one", null));
      await store.add([cutOff("a", 1)]);
    });
    afterEach(() => Promise.all(workers.map((worker) => worker.close())));

    const key = (name: string) => `{${own().namespace}}:${name}`;
    const set = (field: string, value: string) => (redis: Redis) => redis.hset(key("state"), field, value);
    const unset = (field: string) => (redis: Redis) => redis.hdel(key("state"), field);
    const write = (id: string) => (redis: Redis) => redis.xadd(key("feed"), id, "foreign", "x");

    /** Until he has shown no life for long, unless what he wrote cannot be read. */
    async function lock(redis: Redis): Promise<unknown> {
      const id = /master_replid:(\w+)/.exec(await redis.info("replication"))?.[1] ?? "";
      return redis.hset(key("state"), { lock: "x", lock_replication_id: id, lock_at: "never" });
    }

    const changes: Readonly<Record<string, (redis: Redis) => Promise<unknown>>> = {
      "a head that is none": set("head", "garbage"),
      "a head of too many digits": set("head", "99999999999999999-0"),
      "no head": unset("head"),
      "a longest lifetime that is no number": set("longest_lifetime", "garbage"),
      "no longest lifetime": unset("longest_lifetime"),
      "a longest staleness that is no number": set("longest_staleness", "5000.5"),
      "a version of them that is no number": set("longest_version", "-1"),
      "a beginning that is no time": set("since", "garbage"),
      "a mark of the first that is none": set("first", "yes"),
      "a time since when it is whole that is none": set("whole_since", "now"),
      "a replica lag that is no number": set("replica_lag", "garbage"),
      "a number of instances that is none": set("registered", "some"),
      "a repair lock whose time is none": lock,
      "no state": (redis) => redis.del(key("state")),
      "an entry of the feed an hour ahead": (redis) => write(`${Date.now() + hourMs}-0`)(redis),
      "an entry of the feed with too many digits": write("99999999999999999-0"),
      "the last entry that a feed can have": write("18446744073709551615-18446744073709551615"),
      "no feed": (redis) => redis.del(key("feed")),
      "no instances": (redis) => redis.del(key("instances")),
      "an instance less": (redis) => redis.hdel(key("instances"), "one"),
    };

    for (const [what, change] of Object.entries(changes)) {
      it(`is invalid with ${what}, and whole once a worker has repaired it`, async () => {
        const before = (await store.readState()).incarnation ?? "";
        await own().withClient(change);
        expect((await store.readState()).incarnation).to.equal(null);
        expect((await store.sync(report("one", before))).incarnation).to.equal(null);
        await expectCode(store.add([cutOff("b", 1)]), "store-invalid");

        await startOne();
        await eventually(async () => expect((await store.readState()).incarnation).to.be.a("string"));
        const { incarnation, position } = await store.add([cutOff("b", 1)]);
        expect(incarnation).to.not.equal(before);
        expect(Math.abs(millisecondsOf(position) - Date.now())).to.be.below(60_000);
        expect(await store.sync(report("one", incarnation))).to.include({ incarnation, head: position });
        expect((await contentsOf(store)).map(({ kind }) => kind)).to.deep.equal(["cut-off", "cut-off"]);
      });
    }

    it("wants nothing and confirms nothing while its state cannot be read", async () => {
      await own().withClient(set("longest_lifetime", "garbage"));
      const longest = { tokenLifetimeSeconds: 900, maxStalenessMs: 5_000 };
      await expectCode(store.wantLongest(longest), "store-invalid");
      await expectCode(store.confirmLongest({ ...longest, version: 9 }), "store-invalid");
    });

    it("stays valid with fields in its state that are none of its own", async () => {
      await own().withClient(set("foreign", "x"));
      expect((await store.readState()).incarnation).to.be.a("string");
    });
  },
);
