import { expect } from "chai";
import { beforeEach, describe, it } from "mocha";
import { createInProcessStoreServer } from "../../../shared/in-process/revocation-store.ts";
import type { RevocationStore } from "../../../shared/ports/revocation-store.ts";
import { nothingLong } from "../../../shared/revocation/longest.ts";
import { origin } from "../../../shared/revocation/position.ts";
import {
  contentsOf,
  cutOff,
  expectCode,
  listen,
  repairWith,
  token,
} from "../../contract/revocation-store.contract.ts";
import { report } from "../../support/instance-report.ts";
import { createManualPlatform, type ManualPlatform } from "../../support/manual-clock.ts";
import { repairEnd } from "../../support/repair-end.ts";

describe("in-process store server", () => {
  let platform: ManualPlatform;
  let server: ReturnType<typeof createInProcessStoreServer>;
  let store: RevocationStore;
  const nowSeconds = () => platform.clock.wallMs() / 1000;

  beforeEach(async () => {
    platform = createManualPlatform();
    server = createInProcessStoreServer({ ...platform, undoDepth: 10 });
    store = server.connect();
    await repairWith(store, { incarnation: "first", isFirst: true });
  });

  it("is invalid after a restart, keeps its contents, and tells subscribers of a gap", async () => {
    const { position } = await store.add([cutOff("a", 1)]);
    const heard = await listen(store);
    server.restart();
    await platform.settle();

    await expectCode(store.add([cutOff("a", 2)]), "store-invalid");
    expect(await store.readState()).to.include({ incarnation: null, head: position });
    expect(await contentsOf(store)).to.have.length(1);
    expect(heard.gaps()).to.equal(1);
  });

  it("loses the last writes in a fail-over, and nothing before them", async () => {
    const first = await store.add([cutOff("a", 1), token("t", nowSeconds() + 60)]);
    await store.add([cutOff("a", 2), token("t2", nowSeconds() + 60)]);
    await store.sync(report("one", "first"));
    server.failOver({ loseLast: 2 });

    const contents = await contentsOf(store);
    expect(contents).to.have.length(2);
    expect(contents).to.deep.include(token("t", nowSeconds() + 60));
    expect(contents.find(({ kind }) => kind === "cut-off")).to.include({ epoch: 1 });
    expect(await store.readInstances()).to.deep.include({
      incarnation: null,
      head: first.position,
      instances: [],
    });
  });

  it("finds the incarnation and the surviving head when it is repaired after a fail-over", async () => {
    const { position } = await store.add([cutOff("a", 1)]);
    await store.add([cutOff("b", 1)]);
    server.failOver({ loseLast: 1 });

    expect(await store.beginRepair("lock")).to.include({ incarnation: "first", head: position });
  });

  it("loses the lock of a repair in a fail-over that loses a part of it", async () => {
    await store.beginRepair("before");
    await store.repair("before", [token("t", nowSeconds() + 600)]);
    server.failOver({ loseLast: 1 });

    expect(await store.repair("before", [])).to.equal(false);
    expect(await store.completeRepair("before", repairEnd("second"))).to.equal(false);
    expect((await store.readState()).incarnation).to.equal(null);
    expect(await store.beginRepair("after")).to.include({ incarnation: null });
  });

  it("forgets everything when it is wiped, the longest lifetime too", async () => {
    await store.add([cutOff("a", 1)]);
    server.wipe();

    expect(await store.beginRepair("lock")).to.include({ incarnation: null, head: origin });
    expect((await store.readState()).longest).to.deep.equal(nothingLong);
    expect(await contentsOf(store)).to.deep.equal([]);
  });

  it("is invalid once its clock was set back far behind what it gave out, and begins a new feed", async () => {
    const { position } = await store.add([cutOff("a", 1)]);
    platform.stepWall(-360_000);
    expect((await store.readState()).incarnation).to.equal(null);
    expect((await store.sync(report("one", "first"))).incarnation).to.equal(null);

    const start = await store.beginRepair("lock");
    expect(start).to.deep.include({ incarnation: null, head: origin, unsound: ["feed"] });
    await store.completeRepair("lock", repairEnd("second"));
    expect((await store.add([cutOff("b", 1)])).position < position).to.equal(true);
  });

  it("goes on after its clock was set back a little", async () => {
    const { position } = await store.add([cutOff("a", 1)]);
    platform.stepWall(-240_000);
    expect((await store.add([cutOff("b", 1)])).position > position).to.equal(true);
  });

  it("refuses calls while it is not available, and tells of a gap once it is", async () => {
    const heard = await listen(store);
    server.setAvailable(false);
    await expectCode(store.sync(report("one", "first")), "dependency-unavailable");
    const answers = await store.ping();
    server.setAvailable(true);
    await platform.settle();

    expect(answers).to.equal(false);
    expect(heard.gaps()).to.equal(1);
    expect((await store.sync(report("one", "first"))).incarnation).to.equal("first");
  });

  it("loses the announcements that it is told to lose, for one subscriber at a time", async () => {
    const heard = [await listen(store), await listen(store)];
    server.dropAnnouncements((_announcement, subscriber) => subscriber === 1);
    await store.add([cutOff("a", 1)]);
    await platform.settle();

    expect(heard.map(({ announcements }) => announcements.length)).to.deep.equal([0, 1]);
  });

  it("announces after the call that added has taken effect, never within it", async () => {
    const heard = await listen(store);
    const adding = store.add([cutOff("a", 1)]);
    expect(heard.announcements).to.deep.equal([]);
    await adding;
    await platform.settle();

    expect(heard.announcements).to.have.length(1);
  });

  it("gives growing positions while its clock is stepped back", async () => {
    const first = await store.add([cutOff("a", 1)]);
    platform.stepWall(-60_000);
    const second = await store.add([cutOff("a", 2)]);

    expect(second.position > first.position).to.equal(true);
  });

  it("lets tokens and cut-offs vanish only after their expiry and the clock error allowed", async () => {
    await store.add([token("t", nowSeconds() + 60), cutOff("a", 1)]);
    platform.stepWall((900 + 300) * 1000 - 1);
    const before = await contentsOf(store);
    platform.stepWall((900 + 900 + 300) * 1000);

    expect(before).to.have.length(2);
    expect(await contentsOf(store)).to.deep.equal([]);
    expect(await store.purgeExpired()).to.equal(2);
    expect(await store.purgeExpired()).to.equal(0);
  });

  it("keeps what has expired by its clock for one longest lifetime and the clock error, no longer", async () => {
    await store.add([token("t", nowSeconds() - 86_400)]);
    platform.stepWall((900 + 300) * 1000 - 1);
    expect(await contentsOf(store)).to.have.length(1);
    platform.stepWall(1);
    expect(await contentsOf(store)).to.deep.equal([]);
    expect(await store.purgeExpired()).to.equal(1);
  });

  it("writes a cut-off again once the one as strict is past its until", async () => {
    const first = await store.add([cutOff("a", 1)]);
    platform.stepWall(901_000);
    const second = await store.add([cutOff("a", 1)]);

    expect(second.position > first.position).to.equal(true);
  });

  it("trims feed entries older than asked by its clock, at most as many as asked", async () => {
    for (let epoch = 1; epoch <= 5; epoch += 1) {
      await store.add([cutOff("a", epoch)]);
      platform.stepWall(1000);
    }

    expect(await store.trimFeed(2500, 2)).to.equal(2);
    expect(await store.trimFeed(2500, 9)).to.equal(1);
    expect((await store.sync(report("one", "first"))).entries).to.have.length(2);
  });
});
