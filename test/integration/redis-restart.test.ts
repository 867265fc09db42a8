import { once } from "node:events";
import { createServer } from "node:net";
import { expect } from "chai";
import { it } from "mocha";
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
import { createManualPlatform } from "../support/manual-clock.ts";
import { createRecordingLog, useOwnRedis } from "../support/own-redis.ts";
import { repairEnd } from "../support/repair-end.ts";
import { describeUnlessMissing, missingPrograms } from "../support/requirements.ts";

const nowSeconds = () => Math.floor(Date.now() / 1000);

describeUnlessMissing(
  "Redis store, when its server goes and comes",
  missingPrograms(["redis-server"]),
  () => {
    const own = useOwnRedis();

    it("is invalid after a restart from the append-only file, and has kept what it took", async () => {
      await own().server.start();
      const store = await own().connectValid();
      const kept = token("t", nowSeconds() + 600);
      const { position } = await store.add([kept]);
      await own().server.stop("SIGKILL");
      await own().server.start();

      await eventually(() => expectCode(store.add([kept]), "store-invalid"));
      expect((await store.sync(report("one", "first", position))).incarnation).to.equal(null);
      expect(await contentsOf(store)).to.deep.equal([kept]);
      expect(await store.beginRepair("lock")).to.include({ incarnation: "first", head: position });
    });

    it("goes on with the chain of positions when it was repaired after a restart", async () => {
      await own().server.start();
      const store = await own().connectValid();
      const before = await store.add([cutOff("a", 1)]);
      await own().server.stop();
      await own().server.start();
      await eventually(() => repairWith(store, { incarnation: "second", isFirst: false }));
      const written = await store.add([cutOff("a", 2)]);

      const { entries } = await store.sync(report("one", "second", before.position));
      expect(written.incarnation).to.equal("second");
      expect(entries.map(({ previous }) => previous)).to.deep.equal([before.position]);
    });

    it("loses the lock of a repair when the server changes in the middle, and can be repaired anew", async () => {
      await own().server.start();
      const store = await own().connectValid();
      await store.beginRepair("before");
      await store.repair("before", [token("t", nowSeconds() + 600)]);
      await own().server.stop();
      await own().server.start();
      await eventually(() => store.readState());

      expect(await store.repair("before", [token("t2", nowSeconds() + 600)])).to.equal(false);
      expect(await store.completeRepair("before", repairEnd("second"))).to.equal(false);
      expect((await store.readState()).incarnation).to.equal(null);
      expect(await store.beginRepair("after")).to.include({ incarnation: null });
    });

    it("tells subscribers of the gap once they hear again", async () => {
      await own().server.start();
      const store = await own().connectValid();
      const heard = await listen(store);
      await own().server.stop();
      await own().server.start();
      await eventually(() => expect(heard.gaps()).to.equal(1));
      await repairWith(store, { incarnation: "second", isFirst: false });
      await store.add([cutOff("a", 1)]);

      await eventually(() => expect(heard.announcements.map((a) => a.incarnation)).to.deep.equal(["second"]));
    });

    it("refuses calls at once while the server is away, and takes them again by itself", async () => {
      await own().server.start();
      const store = await own().connectValid();
      await own().server.stop();
      await eventually(() => expectCode(store.readState(), "dependency-unavailable"));
      const from = performance.now();
      await expectCode(store.sync(report("one", "first")), "dependency-unavailable");
      const tookMs = performance.now() - from;
      await own().server.start();

      expect(tookMs).to.be.below(200);
      await eventually(() => store.sync(report("one", "first")));
    });

    it("connects while the server is away, and tells a subscriber when it comes", async () => {
      const store = await own().connect();
      const heard = await listen(store);
      expect(await store.ping()).to.equal(false);
      await own().server.start();

      await eventually(() => expect(heard.gaps()).to.equal(1));
      await eventually(() => repairWith(store, { incarnation: "first", isFirst: true }));
      await store.add([cutOff("a", 1)]);
      await eventually(() => expect(heard.announcements).to.have.length(1));
    });

    it("refuses a call that a suspended server does not answer, and recovers once it goes on", async () => {
      await own().server.start();
      const store = await own().connectValid();
      own().server.signal("SIGSTOP");
      const from = performance.now();
      await expectCode(store.sync(report("one", "first")), "dependency-unavailable");
      const tookMs = performance.now() - from;
      own().server.signal("SIGCONT");

      expect(tookMs).to.be.below(3_000);
      await eventually(async () =>
        expect((await store.sync(report("one", "first"))).incarnation).to.equal("first"),
      );
    });

    it("logs a server that is away once for each connection, whatever the attempts", async () => {
      let attempts = 0;
      const refusing = createServer((socket) => {
        attempts += 1;
        socket.destroy();
      });
      await once(refusing.listen(0, "127.0.0.1"), "listening");
      const address = refusing.address();
      const port = typeof address === "object" && address !== null ? address.port : 0;
      const log = createRecordingLog();
      await own().connect({ log, url: `redis://127.0.0.1:${port}` });
      await eventually(() => expect(attempts).to.be.above(5));
      refusing.close();

      expect(log.lines.filter((line) => line === "redis.disconnected")).to.have.length(2);
    });

    it("logs when a connection is back", async () => {
      await own().server.start();
      const log = createRecordingLog();
      await own().connect({ log });
      await own().server.stop();
      await own().server.start();

      await eventually(() =>
        expect(log.lines.filter((line) => line === "redis.connected")).to.have.length(2),
      );
    });

    it("refuses a call at once when the connection ends before its answer", async () => {
      await own().server.start();
      const store = await own().connectValid();
      own().server.signal("SIGSTOP");
      const from = performance.now();
      const call = expectCode(store.readState(), "dependency-unavailable");
      await own().server.stop("SIGKILL");
      await call;

      expect(performance.now() - from).to.be.below(1_000);
    });

    it("tells subscribers of a gap when their connection went dead without an end", async () => {
      await own().server.start();
      const platform = createManualPlatform();
      const store = await own().connect({ timers: platform.timers });
      const heard = await listen(store);
      own().server.signal("SIGSTOP");
      await platform.advance(5_000);
      await eventually(() => expectCode(store.readState(), "dependency-unavailable"));
      const before = heard.gaps();
      own().server.signal("SIGCONT");

      expect(before).to.equal(0);
      await eventually(() => expect(heard.gaps()).to.equal(1));
    });
  },
);
