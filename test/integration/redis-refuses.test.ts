import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { expect } from "chai";
import { Redis } from "ioredis";
import { it } from "mocha";
import type { RevocationStore } from "../../shared/ports/revocation-store.ts";
import {
  contentsOf,
  cutOff,
  expectCode,
  listen,
  repairWith,
  token,
} from "../contract/revocation-store.contract.ts";
import { eventually } from "../support/eventually.ts";
import { report } from "../support/instance-report.ts";
import { createRecordingLog, useOwnRedis } from "../support/own-redis.ts";
import { describeUnlessMissing, missingPrograms } from "../support/requirements.ts";
import { startTcpProxy } from "../support/tcp-proxy.ts";

const kept = token("kept", Math.floor(Date.now() / 1000) + 600);

describeUnlessMissing("Redis store, on a server that refuses", missingPrograms(["redis-server"]), () => {
  const own = useOwnRedis();

  /** Whatever refuses the write: nothing of it is told, and what was taken before can be read. */
  async function expectRefusedWrite(store: RevocationStore, allowWrites: () => Promise<void>): Promise<void> {
    const heard = await listen(store);
    await eventually(() => expectCode(store.add([cutOff("refused", 1)]), "dependency-unavailable"));
    expect(await contentsOf(store)).to.deep.equal([kept]);
    await allowWrites();
    const { position } = await eventually(() => store.add([cutOff("taken", 1)]));

    await eventually(() => expect(heard.announcements.map((each) => each.position)).to.include(position));
    expect(heard.announcements).to.have.length(1);
    expect(await contentsOf(store)).to.have.length(2);
  }

  it("takes and announces nothing while the disk takes no snapshot, and goes on once it does", async () => {
    await own().server.start();
    const store = await own().connectValid();
    await store.add([kept]);
    await own().withClient(async (redis) => {
      const directory = String(await redis.config("GET", "dir")).replace(/^dir,/, "");
      const snapshot = join(directory, "dump.rdb");
      await mkdir(join(snapshot, "taken"), { recursive: true });
      await redis.config("SET", "save", "86400 1000000");
      await redis.bgsave();
      await eventually(async () => expect(await redis.info("persistence")).to.include("bgsave_status:err"));
      await expectRefusedWrite(store, async () => {
        await rm(snapshot, { recursive: true });
        await redis.config("SET", "save", "");
      });
    });
  });

  it("takes and announces nothing while its memory is full, and evicts nothing", async () => {
    await own().server.start();
    const store = await own().connectValid();
    await store.add([kept]);
    await own().withClient(async (redis) => {
      await redis.config("SET", "maxmemory", "1");
      await expectRefusedWrite(store, async () => void (await redis.config("SET", "maxmemory", "0")));
    });
  });

  it("is away while somebody's script keeps the server busy, and is back after it", async () => {
    await own().server.start("--busy-reply-threshold", "50");
    const store = await own().connectValid();
    await own().withClient(async (redis) => {
      const long = redis.eval("for n = 1, 200000000 do end", 0);
      await eventually(() => expectCode(store.sync(report("one", "first")), "dependency-unavailable"));
      await long;
    });

    await eventually(() => store.sync(report("one", "first")));
  });

  it("is away for a password that is wrong, says so, and is there once it is right", async () => {
    await own().server.start();
    await own().withClient(async (redis) => {
      await redis.acl("SETUSER", "quash", "on", ">right", "~*", "&*", "+@all");
      const log = createRecordingLog();
      const store = await own().connect({ log, url: asUser("quash:changed") });
      await expectCode(store.readState(), "dependency-unavailable");
      expect(log.lines).to.include("redis.disconnected");
      await redis.acl("SETUSER", "quash", ">changed");

      await eventually(() => store.readState());
    });
  });

  it("is away while the server still loads its data, and is there once it has", async () => {
    await own().server.start();
    const store = await own().connectValid();
    await store.add([kept]);
    await own().withClient(async (redis) => {
      for (let n = 0; n < 100; n += 1) await redis.set(`foreign ${n}`, "x".repeat(1_024));
      await redis.bgrewriteaof();
      await eventually(async () =>
        expect(await redis.info("persistence")).to.include("rewrite_in_progress:0"),
      );
    });
    await own().server.stop();
    const slowly = ["--key-load-delay", "20000", "--loading-process-events-interval-bytes", "1024"];
    const started = own().server.start(...slowly);
    const seen = await whileLoading(() => expectCode(store.readState(), "dependency-unavailable"));
    await started;

    expect(seen).to.be.above(0);
    await eventually(async () => expect(await contentsOf(store)).to.deep.equal([kept]));
  });

  it("is away where it is to speak TLS and the server does not, and says so", async () => {
    await own().server.start();
    const log = createRecordingLog();
    const store = await own().connect({ log, url: own().server.url.replace("redis:", "rediss:") });

    await expectCode(store.readState(), "dependency-unavailable");
    expect(log.lines).to.include("redis.disconnected");
  });

  it("calls nothing taken without the right to announce it, and takes it once that is given", async () => {
    await own().server.start();
    await own().withClient(async (redis) => {
      await redis.acl("SETUSER", "quash", "on", ">right", "~*", "&*", "+@all", "-publish");
      const store = await own().connect({ url: asUser("quash:right") });
      await repairWith(store, { incarnation: "first", isFirst: true });
      const heard = await listen(store);
      await expectCode(store.add([kept]), "dependency-unavailable");
      await expectCode(store.add([kept]), "dependency-unavailable");
      await redis.acl("SETUSER", "quash", "+publish");
      const { position } = await store.add([kept]);

      await eventually(() =>
        expect(heard.announcements.map((each) => each.position)).to.deep.equal([position]),
      );
      expect(await contentsOf(store)).to.deep.equal([kept]);
    });
  });

  it("needs no rights to name itself or to read settings", async () => {
    await own().server.start();
    await own().withClient((redis) =>
      redis.acl("SETUSER", "quash", "on", ">right", "~*", "&*", "+@all", "-client", "-hello", "-config"),
    );
    const store = await own().connect({ url: asUser("quash:right") });
    await repairWith(store, { incarnation: "first", isFirst: true });
    const heard = await listen(store);
    await store.add([kept]);

    await eventually(() => expect(heard.announcements).to.have.length(1));
    expect(await contentsOf(store)).to.deep.equal([kept]);
  });

  it("tells a subscriber of the gap when the server ends its connection, and announces to it again", async () => {
    await own().server.start();
    const store = await own().connectValid();
    const heard = await listen(store);
    await own().withClient((redis) => redis.call("CLIENT", "KILL", "TYPE", "pubsub"));
    await eventually(() => expect(heard.gaps()).to.equal(1));
    await store.add([kept]);

    await eventually(() => expect(heard.announcements).to.have.length(1));
  });

  it("tells a subscriber of the gap that was so slow that the server gave it up", async () => {
    await own().server.start("--client-output-buffer-limit", "pubsub", "1mb", "1mb", "1");
    const link = await startTcpProxy({ host: "127.0.0.1", port: Number(new URL(own().server.url).port) });
    const heard = await listen(await own().connect({ url: `redis://127.0.0.1:${link.port}` }));
    link.stall();
    await own().withClient(async (redis) => {
      const channel = String(await redis.pubsub("CHANNELS")).split(",")[0] ?? "";
      await eventually(async () => {
        await redis.publish(channel, "x".repeat(1_000_000));
        expect(await redis.pubsub("CHANNELS")).to.deep.equal([]);
      });
    });
    link.reset();
    link.restore();

    await eventually(() => expect(heard.gaps()).to.be.above(0));
    await link.close();
  });

  /** How often `act` was seen through while the server said that it was loading. */
  async function whileLoading(act: () => Promise<unknown>): Promise<number> {
    const redis = new Redis(own().server.url, { enableReadyCheck: false, maxRetriesPerRequest: null });
    redis.on("error", () => undefined);
    try {
      let seen = 0;
      const isLoading = () =>
        redis.ping().then(
          () => false,
          (error: Error) => error.message.includes("LOADING"),
        );
      await eventually(async () => expect(await isLoading()).to.equal(true));
      for (; await isLoading(); seen += 1) await act();
      return seen;
    } finally {
      redis.disconnect();
    }
  }

  function asUser(credentials: string): string {
    return own().server.url.replace("//", `//${credentials}@`);
  }
});
