import { expect } from "chai";
import { beforeEach, it } from "mocha";
import type { RevocationStore } from "../../shared/ports/revocation-store.ts";
import { eventually } from "../support/eventually.ts";
import { report } from "../support/instance-report.ts";
import { useOwnRedis } from "../support/own-redis.ts";
import { describeUnlessMissing, missingPrograms } from "../support/requirements.ts";

describeUnlessMissing("the progress that a Redis store tells", missingPrograms(["redis-server"]), () => {
  const own = useOwnRedis();
  let store: RevocationStore;
  let reports: string[];

  beforeEach(async () => {
    await own().server.start();
    store = await own().connectValid();
    reports = [];
    await store.subscribe({ onAnnouncement: () => undefined, onGap: () => undefined });
  });

  const wait = () => store.subscribe({ onReport: (id) => void reports.push(id) });
  const listening = () =>
    own().withClient(async (redis) => {
      const [, count] = (await redis.call("PUBSUB", "NUMSUB", `{${own().namespace}}:progress`)) as unknown[];
      return count;
    });

  it("is not sent to who waits for nothing", async () => {
    expect(await listening()).to.equal(0);
  });

  it("is sent once to a process in which two wait, until both have gone", async () => {
    const waiting = [await wait(), await wait()];
    await store.sync(report("one", "first"));
    await eventually(() => expect(reports).to.deep.equal(["one", "one"]));
    expect(await listening()).to.equal(1);

    await waiting[0]?.close();
    await store.sync(report("two", "first"));
    await eventually(() => expect(reports).to.deep.equal(["one", "one", "two"]));
    await waiting[1]?.close();
    await eventually(async () => expect(await listening()).to.equal(0));
  });

  it("is sent again after the connection was lost, and not to those who have gone meanwhile", async () => {
    const waiting = await wait();
    const kill = () => own().withClient((redis) => redis.call("CLIENT", "KILL", "TYPE", "pubsub"));
    await kill();
    await eventually(async () => expect(await listening()).to.equal(1));

    await kill();
    await waiting.close();
    let gaps = 0;
    await store.subscribe({ onGap: () => void (gaps += 1) });
    await eventually(() => expect(gaps).to.equal(1));
    expect(await listening()).to.equal(0);
  });

  it("misses no report from the moment that one may wait, however many come and go", async () => {
    for (let turn = 0; turn < 20; turn += 1) {
      reports = [];
      const leaving = await wait();
      const closing = leaving.close();
      const waiting = await Promise.all([wait(), wait()]);
      await closing;
      await store.sync(report(`turn ${turn}`.replace(" ", "-"), "first"));
      await eventually(() => expect(reports).to.deep.equal([`turn-${turn}`, `turn-${turn}`]));
      await Promise.all(waiting.map((one) => one.close()));
    }
  });
});
