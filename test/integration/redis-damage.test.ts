import { expect } from "chai";
import type { Redis } from "ioredis";
import { beforeEach, it } from "mocha";
import type { RevocationStore } from "../../shared/ports/revocation-store.ts";
import { type Addition, clockErrorAllowedMs } from "../../shared/revocation/addition.ts";
import { type PackedAdditions, unpackAdditions } from "../../shared/revocation/packed-additions.ts";
import { tokenBucketOf } from "../../shared/revocation/retention.ts";
import { contentsOf, cutOff, expectCode, repairWith, token } from "../contract/revocation-store.contract.ts";
import { eventually } from "../support/eventually.ts";
import { report } from "../support/instance-report.ts";
import { createManualPlatform } from "../support/manual-clock.ts";
import { createRecordingLog, useOwnRedis } from "../support/own-redis.ts";
import { repairEnd, usualLongest } from "../support/repair-end.ts";
import { describeUnlessMissing, missingPrograms } from "../support/requirements.ts";

const nowSeconds = () => Math.floor(Date.now() / 1000);

describeUnlessMissing("Redis store, damaged", missingPrograms(["redis-server"]), () => {
  const own = useOwnRedis();
  let log: ReturnType<typeof createRecordingLog>;
  let store: RevocationStore;
  let exp: number;
  let all: Addition[];

  beforeEach(async () => {
    await own().server.start();
    log = createRecordingLog();
    store = await own().connect({ log });
    await repairWith(store, { incarnation: "first", isFirst: true });
    exp = nowSeconds() + 600;
    const unrecorded = { ...token("u", exp), kind: "unrecorded-token", until: exp } as const;
    all = [token("t", exp), token("t2", exp + 60), unrecorded, cutOff("a", 1)];
    await store.add(all);
  });

  const key = (name: string) => `{${own().namespace}}:${name}`;
  const bucket = (seconds: number) => `tokens:${tokenBucketOf(seconds)}`;
  const change = (how: (redis: Redis) => Promise<unknown>) => own().withClient(how);
  const keysOf = (kind: string) => change((redis) => redis.keys(key(`${kind}:*`))) as Promise<string[]>;

  /** What it gives before it fails. */
  async function partlyLoaded(): Promise<string[]> {
    const chunks: PackedAdditions[] = [];
    const loading = (async () => {
      for await (const chunk of store.load()) chunks.push(chunk);
    })();
    await expectCode(loading, "store-invalid");
    return chunks.flatMap(unpackAdditions).map((one) => (one.kind === "cut-off" ? one.subject : one.token));
  }

  /** What a worker's repair does. */
  async function repairAll(by = store): Promise<void> {
    const { buckets: damaged } = await by.readDamaged();
    expect(await by.beginRepair("lock")).to.not.equal(null);
    await by.confirmLongest(usualLongest);
    expect(await by.discard("lock", damaged)).to.equal(true);
    expect(await by.repair("lock", all)).to.equal(true);
    await by.completeRepair("lock", repairEnd("second"));
  }

  async function expectWhole(): Promise<void> {
    expect((await store.readDamaged()).buckets).to.deep.equal([]);
    expect(new Set((await contentsOf(store)).map(named))).to.deep.equal(new Set(all.map(named)));
  }

  const named = (addition: Addition) => (addition.kind === "cut-off" ? addition.subject : addition.token);
  const others = (...without: number[]) => all.filter((_, at) => !without.includes(at)).map(named);

  const damages: readonly { what: string; damage: () => Promise<unknown>; lost: number[] }[] = [
    {
      what: "bytes that are no whole record",
      damage: () => change((redis) => redis.append(key(bucket(exp)), "broken")),
      lost: [],
    },
    {
      what: "a record that belongs into another bucket",
      damage: () => change((redis) => redis.append(key(bucket(exp)), "x".repeat(20))),
      lost: [],
    },
    {
      what: "bytes in front that put the records out of step",
      damage: () =>
        change(async (redis) => {
          const value = await redis.getBuffer(key(bucket(exp)));
          return redis.set(key(bucket(exp)), Buffer.concat([Buffer.from("x"), value ?? Buffer.alloc(0)]));
        }),
      lost: [0],
    },
    {
      what: "a bucket of another type",
      damage: () =>
        change((redis) =>
          redis
            .multi()
            .del(key(bucket(exp)))
            .sadd(key(bucket(exp)), "x")
            .exec(),
        ),
      lost: [0],
    },
    {
      what: "a bucket that is gone before its time",
      damage: () => change((redis) => redis.del(key(bucket(exp)))),
      lost: [0],
    },
    {
      what: "unrecorded tokens overwritten by somebody else's",
      damage: async () => {
        const [unrecorded = ""] = await keysOf("unrecorded");
        return change((redis) => redis.set(unrecorded, "x".repeat(20)));
      },
      lost: [2],
    },
    {
      what: "a generation of another type",
      damage: async () => {
        const [generation = ""] = await keysOf("cut-offs");
        return change((redis) => redis.multi().del(generation).set(generation, "x").exec());
      },
      lost: [3],
    },
    {
      what: "a cut-off that was overwritten",
      damage: async () => {
        const [generation = ""] = await keysOf("cut-offs");
        return change(async (redis) => {
          const [field = Buffer.alloc(0)] = await redis.hkeysBuffer(generation);
          return redis.hset(generation, field, "x".repeat(36));
        });
      },
      lost: [3],
    },
    {
      what: "a generation that is gone before its time",
      damage: async () => {
        const [generation = ""] = await keysOf("cut-offs");
        return change((redis) => redis.del(generation));
      },
      lost: [3],
    },
  ];

  for (const { what, damage, lost } of damages) {
    it(`gives all the rest and no complete load with ${what}, says so once, and is repaired`, async () => {
      await damage();
      expect(await partlyLoaded()).to.have.members(others(...lost));
      await partlyLoaded();
      expect((await store.readDamaged()).buckets).to.have.length(1);
      expect(log.lines.filter((line) => line === "redis.bucket-damaged")).to.have.length(1);

      await repairAll();
      await expectWhole();
    });
  }

  it("takes nobody at his word who noted a damage that is none", async () => {
    await change((redis) => redis.hset(key("state"), `damaged:${bucket(exp)}`, "1", "damaged:nonsense", "1"));
    expect((await store.readDamaged()).buckets).to.deep.equal([]);
    expect(await change((redis) => redis.hkeys(key("state")))).to.not.include(`damaged:${bucket(exp)}`);
  });

  it("notes a damage however much else somebody wrote into the state", async () => {
    await change((redis) =>
      redis.hset(key("state"), Object.fromEntries(Array.from({ length: 300 }, (_, n) => [`x${n}`, "1"]))),
    );
    await change((redis) => redis.append(key(bucket(exp)), "broken"));
    await partlyLoaded();
    expect((await store.readDamaged()).buckets).to.deep.equal([bucket(exp)]);
  });

  it("says so again of a bucket that is damaged again, by whoever never asks what is damaged", async () => {
    const worker = await own().connect();
    const lines = () => log.lines.filter((line) => line === "redis.bucket-damaged");
    const platform = createManualPlatform();
    store = await own().connect({ log, clock: platform.clock });
    for (const repairs of [1, 2]) {
      await change((redis) => redis.append(key(bucket(exp)), "broken"));
      await partlyLoaded();
      await partlyLoaded();
      expect(lines()).to.have.length(repairs);
      await repairAll(worker);
      await platform.advance(60_000);
    }
  });

  it("does not take a bucket for gone that has died, though the clock was set back since", async () => {
    await change((redis) =>
      redis.zadd(key("index:tokens"), nowSeconds() - 1, "11", nowSeconds() + 290, "12"),
    );
    await expectWhole();
  });

  it("finds a foreign key that a write meets, which nobody has loaded yet", async () => {
    const later = exp + 1_200;
    await change((redis) => redis.sadd(key(bucket(later)), "x"));
    await expectCode(store.add([token("t3", later)]), "dependency-unavailable");
    expect((await store.readDamaged()).buckets).to.deep.equal([bucket(later)]);

    await repairAll();
    await store.add([token("t3", later)]);
    expect(await contentsOf(store)).to.have.length(5);
  });

  it("finds a foreign key that the repair of a wiped store meets", async () => {
    const generations = await keysOf("cut-offs");
    await change((redis) => redis.flushall());
    await change((redis) => redis.mset(Object.fromEntries(generations.map((name) => [name, "x"]))));
    await store.beginRepair("lock");
    await store.confirmLongest(usualLongest);
    await expectCode(store.repair("lock", all), "dependency-unavailable");

    await repairAll();
    await expectWhole();
  });

  it("discards nothing for who has lost the lock", async () => {
    await change((redis) => redis.append(key(bucket(exp)), "broken"));
    await partlyLoaded();
    expect(await store.discard("another", (await store.readDamaged()).buckets)).to.equal(false);
    expect((await store.readDamaged()).buckets).to.have.length(1);
  });

  for (const fixed of ["state", "instances", "feed", "index:tokens", "index:unrecorded", "index:cut-offs"]) {
    it(`is invalid while its ${fixed} is somebody else's, and is whole after the repair`, async () => {
      await change((redis) => redis.multi().del(key(fixed)).setex(key(fixed), 3_600, "x").exec());
      expect((await store.readState()).incarnation).to.equal(null);
      expect((await store.readInstances()).instances).to.deep.equal([]);

      const start = await store.beginRepair("lock");
      expect(start).to.include({ incarnation: null });
      expect(start?.unsound).to.include(fixed);
      await repairAll();
      await expectWhole();
      const { position } = await store.add([cutOff("b", 1)]);
      expect((await store.sync(report("one", "second"))).head).to.equal(position);
    });
  }

  it("takes out of an index what names no bucket, says so and counts it once", async () => {
    const members = ["foreign", Buffer.from([0xff, 0xfe])];
    for (const member of members) {
      await change((redis) => redis.zadd(key("index:tokens"), nowSeconds() + 900, member));
    }
    expect(await contentsOf(store)).to.have.length(4);
    expect(log.lines.filter((line) => line === "redis.index-entry-foreign")).to.have.length(2);
    expect((await store.readDamaged()).foreign).to.deep.equal(new Map([["index-entry-foreign", 2]]));

    await expectWhole();
    expect(log.lines.filter((line) => line === "redis.index-entry-foreign")).to.have.length(2);
    expect((await store.readDamaged()).foreign).to.deep.equal(new Map());
    expect(await change((redis) => redis.zcard(key("index:tokens")))).to.equal(2);
  });

  it("leaves out of the feed what somebody else wrote, counts it once, and misses nothing", async () => {
    const first = await store.add([cutOff("b", 1)]);
    await change(async (redis) => {
      await redis.xadd(key("feed"), "*", "foreign", "x");
      await redis.xadd(key("feed"), "*", "previous", "x", "t", "", "u", "", "c", "");
      await redis.xadd(key("feed"), "*", "previous", "0-0", "t", "broken", "u", "", "c", "");
    });
    const second = await store.add([cutOff("c", 1)]);
    await change((redis) => redis.xadd(key("feed"), "*", "previous", "0-0", "t", "", "u", "", "c", ""));

    const answer = await store.sync(report("one", "first", first.position));
    expect(answer.entries.map(({ previous, position }) => [previous, position])).to.deep.equal([
      [first.position, second.position],
    ]);
    expect(answer.foreign).to.equal(4);
    expect((await store.sync(report("one", "first", first.position))).foreign).to.equal(undefined);
    expect(log.lines.filter((line) => line === "redis.feed-entry-foreign")).to.have.length(1);
  });

  it("takes an announcement with a broken record for a gap", async () => {
    const heard: string[] = [];
    const { incarnation } = await store.readState();
    await store.subscribe({
      onAnnouncement: () => heard.push("announcement"),
      onGap: () => heard.push("gap"),
    });
    const message = `6 0 0 0-0 1-0 ${incarnation}\nbroken`;
    await change((redis) => redis.publish(key("announcements"), message));
    await eventually(() => expect(heard).to.deep.equal(["gap"]));
  });

  it("counts an instance that cannot be read as one that enforces nothing, until it writes itself anew", async () => {
    await store.sync(report("one", "first"));
    await change((redis) => redis.hset(key("instances"), "one", "foreign"));
    await store.readInstances();
    const [unread] = (await store.readInstances()).instances;
    expect(log.lines.filter((line) => line === "redis.instance-unreadable")).to.have.length(1);
    expect((await store.readDamaged()).foreign).to.deep.equal(new Map([["instance-unreadable", 1]]));
    expect(unread).to.include({
      id: "one",
      incarnation: null,
      maxStalenessMs: 3_600_000,
      tokenLifetimeSeconds: 86_400,
      signedOffAtMs: null,
    });

    await store.sync(report("one", "first"));
    expect((await store.readInstances()).instances[0]?.incarnation).to.equal("first");
  });

  it("keeps a repaired bucket for as long as any other", async () => {
    await change((redis) => redis.append(key(bucket(exp)), "broken"));
    await partlyLoaded();
    await repairAll();
    const diesAt = await change((redis) => redis.expiretime(key(bucket(exp))));
    expect(Number(diesAt) * 1_000).to.be.at.least(exp * 1_000 + clockErrorAllowedMs);
  });
});
