import { expect } from "chai";
import { afterEach, beforeEach, describe, it } from "mocha";
import { AppError, type ErrorCode } from "../../shared/errors.ts";
import type { Announcement, RevocationStore, StoreListener } from "../../shared/ports/revocation-store.ts";
import type { Addition, CutOff, TokenRevocation } from "../../shared/revocation/addition.ts";
import { type Fingerprint, parseFingerprint } from "../../shared/revocation/fingerprint.ts";
import { type PackedAdditions, unpackAdditions } from "../../shared/revocation/packed-additions.ts";
import { origin } from "../../shared/revocation/position.ts";
import { tokenBucketOf } from "../../shared/revocation/retention.ts";
import { eventually } from "../support/eventually.ts";
import { report } from "../support/instance-report.ts";
import { repairEnd } from "../support/repair-end.ts";
import { storeLongestContract } from "./store-longest.contract.ts";

export interface StoreFixture {
  /** Another connection to the same store. */
  connect(): Promise<RevocationStore>;
  /** Takes everything of the store's namespace away. */
  wipe(): Promise<void>;
  /** Writes something else than our records into a bucket that holds some. */
  damage(bucket: string): Promise<void>;
  /** Takes a registered instance away, as somebody else would. */
  loseInstance(instanceId: string): Promise<void>;
  /** Lets so much time pass that the holder of the repair lock counts as dead. */
  outliveRepairLock(): Promise<void>;
  close(): Promise<void>;
}

export function revocationStoreContract(title: string, openFixture: () => Promise<StoreFixture>): void {
  describe(`${title}: revocation store`, () => {
    let fixture: StoreFixture;
    let store: RevocationStore;

    beforeEach(async () => {
      fixture = await openFixture();
      store = await fixture.connect();
    });
    afterEach(() => fixture.close());

    const nowSeconds = async () => Math.ceil((await store.readState()).storeTimeMs / 1000);
    const makeValid = (incarnation = "first", isFirst = true) => repairWith(store, { incarnation, isFirst });

    describe("while invalid", () => {
      it("takes no additions before its first incarnation", async () => {
        await expectCode(store.add([cutOff("a", 1)]), "store-invalid");

        expect((await store.readState()).incarnation).to.equal(null);
        expect(await contentsOf(store)).to.deep.equal([]);
      });

      it("registers an instance, and gives it neither incarnation nor entries", async () => {
        const answer = await store.sync(report("one", null));

        expect(answer).to.include({ incarnation: null, isCovered: true, head: origin });
        expect(answer.entries).to.deep.equal([]);
        expect((await store.readInstances()).instances.map(({ id }) => id)).to.deep.equal(["one"]);
      });

      it("is invalid again once it was wiped", async () => {
        await makeValid();
        await store.add([cutOff("a", 1)]);
        await fixture.wipe();

        await expectCode(store.add([cutOff("a", 2)]), "store-invalid");
        expect((await store.sync(report("one", "first"))).incarnation).to.equal(null);
        expect(await store.readState()).to.include({ incarnation: null, head: origin });
      });
    });

    describe("add", () => {
      beforeEach(() => makeValid());

      it("answers with the incarnation and strictly growing positions, each naming the one before it", async () => {
        const written = [];
        for (let epoch = 1; epoch <= 20; epoch += 1) written.push(await store.add([cutOff("a", epoch)]));

        const { entries } = await store.sync(report("one", "first"));
        const positions = written.map(({ position }) => position);
        expect(new Set(written.map(({ incarnation }) => incarnation))).to.deep.equal(new Set(["first"]));
        expect(positions).to.deep.equal([...new Set(positions)].sort());
        expect(entries.map(({ position }) => position)).to.deep.equal(positions);
        expect(entries.map(({ previous }) => previous)).to.deep.equal([origin, ...positions.slice(0, -1)]);
      });

      it("keeps concurrent additions of two connections apart and in order", async () => {
        const other = await fixture.connect();
        const adds = Array.from({ length: 40 }, (_, at) =>
          (at % 2 ? other : store).add([cutOff(`u${at}`, 1)]),
        );
        const positions = (await Promise.all(adds)).map(({ position }) => position);

        const { entries, head } = await store.sync(report("one", "first"));
        expect(new Set(positions).size).to.equal(40);
        expect(entries.map(({ position }) => position)).to.deep.equal(positions.toSorted());
        expect(head).to.equal(positions.toSorted().at(-1));
      });

      it("writes tokens, unrecorded tokens and cut-offs as one entry", async () => {
        const until = (await nowSeconds()) + 10_000;
        const additions: Addition[] = [
          token("t", until),
          { kind: "unrecorded-token", token: fingerprint("u"), until },
          cutOff("a", 7, { until, notBefore: 12 }),
        ];
        await store.add(additions);

        const { entries } = await store.sync(report("one", "first"));
        expect(entries).to.have.length(1);
        expect(entries.flatMap((entry) => unpackAdditions(entry.additions))).to.have.deep.members(additions);
        expect(await contentsOf(store)).to.have.deep.members(additions);
      });

      it("answers with the head when there is nothing to add", async () => {
        const { position } = await store.add([cutOff("a", 1)]);

        expect(await store.add([])).to.deep.equal({ incarnation: "first", position });
      });

      it("leaves out a cut-off where one as strict lives, whatever its until", async () => {
        const until = await nowSeconds();
        const first = await store.add([cutOff("a", 5, { notBefore: 9 })]);

        expect(await store.add([cutOff("a", 5, { notBefore: 9, until: until + 50_000 })])).to.deep.equal(
          first,
        );
        expect(await store.add([cutOff("a", 4), cutOff("a", 0, { notBefore: 8 })])).to.deep.equal(first);
      });

      it("leaves out the second of two equal cut-offs in one call", async () => {
        await store.add([cutOff("a", 5), cutOff("a", 5), cutOff("a", 4)]);

        const { entries } = await store.sync(report("one", "first"));
        expect(entries.flatMap(({ additions }) => unpackAdditions(additions))).to.have.length(1);
      });

      it("merges cut-offs of one call, however many there are and wherever they end", async () => {
        const until = Math.ceil((await nowSeconds()) / 900) * 900 + 10_000 * 900;
        const many = Array.from({ length: 2_500 }, (_, at) => cutOff(`u${at}`, 2, { until }));
        const last = cutOff("u2499", 1, { until: until + 1, notBefore: 7 });
        const later = cutOff("u0", 3, { until: until + 900 });
        await store.add([...many, last, later, cutOff("u1", 1, { until: until + 900 })]);

        const merged = cutOff("u2499", 2, { until: until + 1, notBefore: 7 });
        expect(await contentsOf(store)).to.have.deep.members([...many.slice(0, -1), merged, later]);
      });

      it("sees a cut-off that lives much longer than the longest lifetime", async () => {
        const first = await store.add([cutOff("a", 5, { until: (await nowSeconds()) + 400_000 })]);

        expect(await store.add([cutOff("a", 5)])).to.deep.equal(first);
      });

      it("writes a cut-off that is stricter in one way only, and ends with the strictest of both", async () => {
        const first = await store.add([cutOff("a", 5)]);
        const second = await store.add([cutOff("a", 1, { notBefore: 77 })]);

        expect(second.position > first.position).to.equal(true);
        expect(strictest(await contentsOf(store), "a")).to.include({ epoch: 5, notBefore: 77 });
      });

      it("never lowers an epoch", async () => {
        await store.add([cutOff("a", 9)]);
        await store.add([cutOff("a", 3, { notBefore: 1 })]);

        expect(strictest(await contentsOf(store), "a").epoch).to.equal(9);
      });

      it("writes one as strict that lives longer when told to extend", async () => {
        const until = (await nowSeconds()) + 50_000;
        const first = await store.add([cutOff("a", 5)]);
        const extended = await store.add([cutOff("a", 5, { until })], { extend: true });
        const again = await store.add([cutOff("a", 5, { until })], { extend: true });

        expect(extended.position > first.position).to.equal(true);
        expect(again).to.deep.equal(extended);
        expect(strictest(await contentsOf(store), "a").until).to.equal(until);
      });

      it("merges two cut-offs of a generation into the strictest and longest of both", async () => {
        const until = Math.ceil((await nowSeconds()) / 900) * 900 + 10_000 * 900 + 500;
        await store.add([cutOff("a", 1, { until })]);
        await store.add([cutOff("a", 2, { until: until - 100 })]);

        expect(await contentsOf(store)).to.deep.equal([cutOff("a", 2, { until })]);
      });

      it("keeps cut-offs and unrecorded tokens until now plus the longest lifetime at least", async () => {
        await store.confirmLongest({ tokenLifetimeSeconds: 4000, maxStalenessMs: 5000, version: 2 });
        const least = (await nowSeconds()) + 4000;
        await store.add([
          cutOff("a", 1, { until: 5 }),
          { kind: "unrecorded-token", token: fingerprint("u"), until: 5 },
        ]);

        const { entries } = await store.sync(report("one", "first"));
        const announced = entries.flatMap(({ additions }) => unpackAdditions(additions));
        for (const kept of [...announced, ...(await contentsOf(store))]) {
          expect(kept)
            .to.have.property("until")
            .that.is.within(least, least + 5);
        }
      });

      it("holds adding twice to what adding once left", async () => {
        const additions = [token("t", (await nowSeconds()) + 60), token("t2", (await nowSeconds()) + 60)];
        await store.add(additions);
        await store.add(additions);

        expect(await contentsOf(store)).to.have.deep.members(additions);
      });

      it("announces and keeps what has expired by its own clock, which may be ahead", async () => {
        const expired = token("t", (await nowSeconds()) - 86_400);
        await store.add([expired]);

        const { entries } = await store.sync(report("one", "first"));
        expect(entries.flatMap(({ additions }) => unpackAdditions(additions))).to.deep.equal([expired]);
        expect(await contentsOf(store)).to.deep.equal([expired]);
        expect(await store.purgeExpired()).to.equal(0);
      });

      it("keeps a token for as long as clocks may err after its expiry", async () => {
        const expired = token("t", (await nowSeconds()) - 200);
        await store.add([expired]);

        expect(await contentsOf(store)).to.deep.equal([expired]);
      });
    });

    describe("sync", () => {
      beforeEach(() => makeValid());

      it("returns what follows the reported position, and the head", async () => {
        const first = await store.add([cutOff("a", 1)]);
        const second = await store.add([cutOff("b", 1)]);

        const answer = await store.sync(report("one", "first", first.position));
        expect(answer).to.include({ incarnation: "first", head: second.position });
        expect(answer.entries.map(({ position }) => position)).to.deep.equal([second.position]);
        expect((await store.sync(report("one", "first", second.position))).entries).to.deep.equal([]);
      });

      it("returns no entries for a position under another incarnation", async () => {
        const { position } = await store.add([cutOff("a", 1)]);

        const answer = await store.sync(report("one", "another"));
        expect(answer).to.include({ incarnation: "first", head: position });
        expect(answer.entries).to.deep.equal([]);
      });

      it("returns many entries in several answers, without a hole", async () => {
        const adds = Array.from({ length: 620 }, (_, at) => store.add([cutOff(`u${at}`, 1)]));
        await Promise.all(adds);

        let position = origin;
        let seen = 0;
        for (let answer = await store.sync(report("one", "first")); answer.entries.length > 0; ) {
          for (const entry of answer.entries) {
            expect(entry.previous).to.equal(position);
            position = entry.position;
            seen += 1;
          }
          answer = await store.sync(report("one", "first", position));
        }
        expect(seen).to.equal(620);
      });

      it("shows a trimmed feed by a gap between the position and the first entry", async () => {
        const first = await store.add([cutOff("a", 1)]);
        const second = await store.add([cutOff("b", 1)]);
        const third = await store.add([cutOff("c", 1)]);
        expect(await store.trimFeed(-1000, 2)).to.equal(2);

        const { entries } = await store.sync(report("one", "first", first.position));
        expect(entries.map(({ position }) => position)).to.deep.equal([third.position]);
        expect(entries[0]?.previous).to.equal(second.position);
      });

      it("goes on with the chain of positions after the whole feed was trimmed", async () => {
        const first = await store.add([cutOff("a", 1)]);
        expect(await store.trimFeed(-1000, 100)).to.equal(1);
        const second = await store.add([cutOff("a", 2)]);

        const { entries } = await store.sync(report("one", "first", first.position));
        expect(entries.map(({ previous }) => previous)).to.deep.equal([first.position]);
        expect(second.position > first.position).to.equal(true);
      });

      it("keeps feed entries younger than asked", async () => {
        await store.add([cutOff("a", 1)]);

        expect(await store.trimFeed(60_000, 100)).to.equal(0);
        expect((await store.sync(report("one", "first"))).entries).to.have.length(1);
      });
    });

    describe("load", () => {
      beforeEach(() => makeValid());

      it("returns everything, in chunks of at most 256 kB", async () => {
        const exp = (await nowSeconds()) + 600;
        const tokens = Array.from({ length: 15_000 }, (_, at) => token(`t${at}`, exp));
        for (let at = 0; at < tokens.length; at += 500) await store.add(tokens.slice(at, at + 500));

        const seen = new Set<string>();
        for await (const chunk of store.load()) {
          expect(chunk.tokens.length + chunk.unrecordedTokens.length + chunk.cutOffs.length).to.be.most(
            262_144,
          );
          for (const addition of unpackAdditions(chunk)) seen.add(JSON.stringify(addition));
        }
        expect(seen).to.deep.equal(new Set(tokens.map((addition) => JSON.stringify(addition))));
      });

      it("returns the tokens of every expiry minute", async () => {
        const now = await nowSeconds();
        const tokens = Array.from({ length: 1_100 }, (_, at) => token(`t${at}`, now + at * 60));
        for (let at = 0; at < tokens.length; at += 275) await store.add(tokens.slice(at, at + 275));

        expect(await contentsOf(store)).to.have.length(tokens.length);
      });
    });

    describe("damage", () => {
      let exp: number;
      let damaged: string;

      beforeEach(async () => {
        await makeValid();
        exp = (await nowSeconds()) + 600;
        damaged = `tokens:${tokenBucketOf(exp)}`;
        await store.add([token("t", exp), token("t2", exp + 60), cutOff("a", 1)]);
      });

      it("has none that anybody noted as long as everything can be read", async () => {
        await contentsOf(store);
        expect((await store.readDamaged()).buckets).to.deep.equal([]);
      });

      it("gives what can be read of the rest, and then no complete load", async () => {
        await fixture.damage(damaged);
        const given: Addition[] = [];
        const loading = (async () => {
          for await (const chunk of store.load()) given.push(...unpackAdditions(chunk));
        })();
        await expectCode(loading, "store-invalid");
        expect(given.map(({ kind }) => kind)).to.include.members(["token", "cut-off"]);
        expect((await (await fixture.connect()).readDamaged()).buckets).to.deep.equal([damaged]);
      });

      it("is gone with the bucket once the holder of the lock has discarded it, and he alone may", async () => {
        await fixture.damage(damaged);
        await expectCode(contentsOf(store), "store-invalid");
        expect(await store.discard("lock", [damaged])).to.equal(false);
        await store.beginRepair("lock");
        expect(await store.discard("another", [damaged])).to.equal(false);
        expect(await store.discard("lock", [damaged])).to.equal(true);

        expect((await store.readDamaged()).buckets).to.deep.equal([]);
        const left = (await contentsOf(store)).filter(({ kind }) => kind === "token");
        expect(left).to.deep.equal([token("t2", exp + 60)]);
      });

      it("is made good by a repair", async () => {
        await fixture.damage(damaged);
        await expectCode(contentsOf(store), "store-invalid");
        await store.beginRepair("lock");
        await store.discard("lock", [damaged]);
        await store.repair("lock", [token("t", exp), token("t2", exp + 60), cutOff("a", 1)]);
        await store.completeRepair("lock", repairEnd("second"));

        expect(await contentsOf(store)).to.have.length(3);
      });
    });

    describe("instances", () => {
      beforeEach(() => makeValid());

      it("are registered by their sync, with all that they report", async () => {
        const { position } = await store.add([cutOff("a", 1)]);
        await store.sync({ ...report("one", "first", position), maxStalenessMs: 4321, entries: 17 });

        const { instances, storeTimeMs } = await store.readInstances();
        expect(instances).to.have.length(1);
        expect(instances[0]).to.include({
          id: "one",
          incarnation: "first",
          position,
          maxStalenessMs: 4321,
          tokenLifetimeSeconds: 900,
          entries: 17,
          signedOffAtMs: null,
        });
        expect(instances[0]?.lastSyncAtMs).to.be.within(storeTimeMs - 5000, storeTimeMs);
      });

      it("have a sync count that rises with each sync", async () => {
        const counts: number[] = [];
        for (let round = 0; round < 3; round += 1) {
          await store.sync(report("one", "first"));
          counts.push((await store.readInstances()).instances[0]?.syncCount ?? 0);
        }

        expect(counts).to.deep.equal([...new Set(counts)].sort((a, b) => a - b));
      });

      it("show when they signed off, and no longer once they sync again", async () => {
        await store.sync(report("one", "first"));
        await store.signOff("one");
        const signedOff = await store.readInstances();
        await store.sync(report("one", "first"));

        expect(signedOff.instances[0]?.signedOffAtMs).to.be.within(1, signedOff.storeTimeMs);
        expect((await store.readInstances()).instances[0]?.signedOffAtMs).to.equal(null);
      });

      it("are not registered by signing off", async () => {
        await store.signOff("nobody");

        expect((await store.readInstances()).instances).to.deep.equal([]);
      });

      it("are forgotten when they are removed", async () => {
        await store.sync(report("one", "first"));
        await store.sync(report("two", "first"));
        const [one] = (await store.readInstances()).instances.filter(({ id }) => id === "one");
        const unknown = { id: "unknown", syncCount: 1 };
        expect(await store.removeInstances([...(one === undefined ? [] : [one]), unknown])).to.equal(1);
        expect(await store.removeInstances([])).to.equal(0);

        expect((await store.readInstances()).instances.map(({ id }) => id)).to.deep.equal(["two"]);
      });

      it("are not forgotten when they have synced since they were seen", async () => {
        await store.sync(report("one", "first"));
        const seen = (await store.readInstances()).instances;
        await store.sync(report("one", "first"));

        expect(await store.removeInstances(seen)).to.equal(0);
        expect((await store.readInstances()).instances.map(({ id }) => id)).to.deep.equal(["one"]);
      });
    });

    describe("an instance that somebody else took away", () => {
      beforeEach(async () => {
        await makeValid();
        await store.sync(report("one", "first"));
        await store.sync(report("two", "first"));
        await fixture.loseInstance("one");
      });

      it("makes the store invalid, whoever registers since", async () => {
        expect((await store.readInstances()).incarnation).to.equal(null);
        expect((await store.sync(report("one", "first"))).incarnation).to.equal(null);
        expect((await store.sync(report("three", "first"))).incarnation).to.equal(null);
        await expectCode(store.add([cutOff("a", 1)]), "store-invalid");
      });

      it("is missed no more after a repair", async () => {
        await makeValid("second", false);
        expect(await store.sync(report("one", "second"))).to.include({ incarnation: "second" });
        await store.removeInstances((await store.readInstances()).instances);
        expect(await store.readInstances()).to.deep.include({ incarnation: "second", instances: [] });
      });
    });

    describe("subscribers", () => {
      beforeEach(() => makeValid());

      it("get each addition in order, with its incarnation, the position before it and the records", async () => {
        const announcements: Announcement[] = [];
        const subscriber = await fixture.connect();
        await subscriber.subscribe({ onAnnouncement: (announcement) => announcements.push(announcement) });
        for (let epoch = 1; epoch <= 10; epoch += 1)
          await store.add([cutOff("a", epoch), token(`t${epoch}`, 2e9)]);

        await eventually(() => expect(announcements).to.have.length(10));
        const { entries } = await store.sync(report("one", "first"));
        expect(announcements.map(plain)).to.deep.equal(
          entries.map((e) => plain({ incarnation: "first", ...e })),
        );
      });

      it("hear nothing of an addition that was left out", async () => {
        const heard = await listen(store);
        await store.add([cutOff("a", 1)]);
        await store.add([cutOff("a", 1)]);
        await store.add([cutOff("b", 1)]);

        await eventually(() => expect(heard.announcements).to.have.length(2));
      });

      it("hear of an instance that reports a new position, and of one that signs off", async () => {
        const heard = await listen(await fixture.connect());
        const { position } = await store.add([cutOff("a", 1)]);
        await store.sync(report("one", "first"));
        await store.sync(report("one", "first"));
        await store.sync(report("one", "first", position));
        await store.signOff("one");

        await eventually(() => expect(heard.reports).to.deep.equal(["one", "one", "one"]));
      });

      it("hear which ledger rows were noted", async () => {
        const heard = await listen(await fixture.connect());
        await store.notifyApplied(["e1", "e2"]);
        await store.notifyApplied([]);

        await eventually(() => expect(heard.applied.flat()).to.deep.equal(["e1", "e2"]));
      });

      it("hear nothing after they were closed", async () => {
        const heard = await listen(store);
        const other = await listen(store);
        await heard.close();
        await store.add([cutOff("a", 1)]);

        await eventually(() => expect(other.announcements).to.have.length(1));
        expect(heard.announcements).to.deep.equal([]);
      });
    });

    storeLongestContract(() => store);

    describe("repair", () => {
      it("makes the store valid, and says since when and whether it is the first", async () => {
        const before = await store.readState();
        await makeValid("first", true);
        const first = await store.readState();
        await makeValid("second", false);

        expect(first).to.include({ incarnation: "first", isFirstIncarnation: true });
        expect(first.incarnationSinceMs).to.be.within(before.storeTimeMs, first.storeTimeMs);
        expect(await store.readState()).to.include({ incarnation: "second", isFirstIncarnation: false });
      });

      it("begins by taking the incarnation away, and tells which one and which head it found", async () => {
        await makeValid();
        const { position } = await store.add([cutOff("a", 1)]);

        expect(await store.beginRepair("lock")).to.include({ incarnation: "first", head: position });
        await expectCode(store.add([cutOff("a", 2)]), "store-invalid");
        await fixture.outliveRepairLock();
        expect(await store.beginRepair("other")).to.include({ incarnation: null, head: position });
      });

      it("tells when it began, and keeps that of one that wrote everything", async () => {
        const before = await store.readState();
        const start = await store.beginRepair("lock");
        await store.completeRepair("lock", repairEnd("first", { wholeSinceMs: start?.atMs ?? null }));
        const whole = await store.readState();
        await makeValid("second", false);

        expect(start?.atMs).to.be.within(before.storeTimeMs, whole.storeTimeMs);
        expect(whole.wholeSinceMs).to.equal(start?.atMs);
        expect((await store.readState()).wholeSinceMs).to.equal(null);
      });

      it("leaves the lock to who has it, and shows life", async () => {
        await store.beginRepair("mine");
        await fixture.outliveRepairLock();
        expect(await store.repair("mine", [])).to.equal(true);

        const other = await fixture.connect();
        expect(await other.beginRepair("theirs")).to.equal(null);
        expect(await store.completeRepair("mine", repairEnd("x"))).to.equal(true);
      });

      it("takes over at once from an attempt that was given up, and refuses its late calls", async () => {
        await makeValid();
        await store.beginRepair("broken off");

        expect(await store.beginRepair("next", ["older", "broken off"])).to.include({ incarnation: null });
        expect(await store.repair("broken off", [])).to.equal(false);
        expect(await store.discard("broken off", [])).to.equal(false);
        expect(await store.beginRepair("broken off", ["older"])).to.equal(null);
        expect(await store.repair("next", [])).to.equal(true);
      });

      it("begins anew where the lock was wiped, and refuses whoever had it", async () => {
        await store.beginRepair("mine");
        await fixture.wipe();

        expect(await store.repair("mine", [])).to.equal(false);
        expect(await store.beginRepair("theirs")).to.include({ incarnation: null, head: origin });
        expect(await store.repair("mine", [])).to.equal(false);
      });

      it("takes no incarnation away from a store that was made valid", async () => {
        await makeValid();

        expect(await store.repair("lock", [])).to.equal(false);
        expect((await store.readState()).incarnation).to.equal("first");
      });

      it("leaves the head and the feed as they are", async () => {
        await makeValid();
        const { position } = await store.add([cutOff("a", 1)]);
        await store.beginRepair("lock");
        await store.repair("lock", [cutOff("b", 1, { until: (await nowSeconds()) + 900 })]);
        await store.completeRepair("lock", repairEnd("second"));

        const { head, entries } = await store.sync(report("one", "second"));
        expect(head).to.equal(position);
        expect(entries.map((entry) => entry.position)).to.deep.equal([position]);
      });

      it("refuses a chunk and the end under a lock that somebody else took since", async () => {
        await store.beginRepair("mine");
        const other = await fixture.connect();
        await fixture.outliveRepairLock();
        await other.beginRepair("theirs");
        const until = (await nowSeconds()) + 900;

        expect(await store.repair("mine", [cutOff("a", 1, { until })])).to.equal(false);
        expect(await store.completeRepair("mine", repairEnd("x"))).to.equal(false);
        expect(await contentsOf(store)).to.deep.equal([]);
        expect((await store.readState()).incarnation).to.equal(null);
        expect(await other.completeRepair("theirs", repairEnd("y"))).to.equal(true);
      });

      it("refuses the end when it has ended already", async () => {
        await makeValid();

        expect(await store.completeRepair("lock", repairEnd("x"))).to.equal(false);
        expect((await store.readState()).incarnation).to.equal("first");
      });

      it("writes everything into a wiped store", async () => {
        const until = (await nowSeconds()) + 1000;
        const additions: Addition[] = [
          token("t", until),
          { kind: "unrecorded-token", token: fingerprint("u"), until },
          cutOff("a", 3, { until }),
        ];
        await store.beginRepair("lock");

        expect(await store.repair("lock", additions)).to.equal(true);
        expect(await contentsOf(store)).to.have.deep.members(additions);
      });

      it("writes what has expired by the store's own clock, which may be ahead", async () => {
        const expired = token("t", (await nowSeconds()) - 86_400);
        await store.beginRepair("lock");

        expect(await store.repair("lock", [expired])).to.equal(true);
        expect(await contentsOf(store)).to.deep.equal([expired]);
      });

      it("writes only what the buckets lack", async () => {
        await makeValid();
        const until = (await nowSeconds()) + 100_000;
        const there: Addition[] = [
          token("t", until),
          { kind: "unrecorded-token", token: fingerprint("u"), until },
          cutOff("a", 3, { until }),
        ];
        await store.add(there);
        await store.beginRepair("lock");
        await store.repair("lock", [...there, token("t2", until), cutOff("b", 1, { until }), cutOff("a", 2)]);

        const written = await everyRecordOf(store);
        const expected = [...there, token("t2", until), cutOff("b", 1, { until })];
        expect(written).to.have.length(expected.length);
        expect(written).to.have.deep.members(expected);
      });

      it("writes a cut-off that must live longer than the one as strict that is there", async () => {
        await makeValid();
        const until = (await nowSeconds()) + 50_000;
        await store.add([cutOff("a", 3)]);
        await store.beginRepair("lock");
        await store.repair("lock", [cutOff("a", 3, { until })]);

        expect(strictest(await contentsOf(store), "a")).to.include({ epoch: 3, until });
      });
    });

    it("has nothing to purge while everything lives", async () => {
      await makeValid();
      await store.add([cutOff("a", 1), token("t", (await nowSeconds()) + 60)]);

      expect(await store.purgeExpired()).to.equal(0);
      expect(await contentsOf(store)).to.have.length(2);
    });

    it("answers a ping until it is closed, and refuses calls then", async () => {
      const closing = await fixture.connect();
      const before = await closing.ping();
      await closing.close();
      await closing.close();

      expect(before).to.equal(true);
      expect(await closing.ping()).to.equal(false);
      await expectCode(closing.readState(), "dependency-unavailable");
    });
  });
}

export async function repairWith(
  store: RevocationStore,
  { incarnation, isFirst }: { incarnation: string; isFirst: boolean },
): Promise<void> {
  await store.beginRepair("lock");
  expect(await store.completeRepair("lock", repairEnd(incarnation, { isFirst }))).to.equal(true);
}

export function fingerprint(name: string): Fingerprint {
  return parseFingerprint(Buffer.from(name).toString("hex").padEnd(32, "0"));
}

export function token(name: string, exp: number): TokenRevocation {
  return { kind: "token", token: fingerprint(name), exp };
}

export function cutOff(subject: string, epoch: number, rest: Partial<CutOff> = {}): CutOff {
  return { kind: "cut-off", subject: fingerprint(subject), epoch, notBefore: 0, until: 0, ...rest };
}

/** Each record once, as a set. */
export async function contentsOf(store: RevocationStore): Promise<Addition[]> {
  const distinct = new Map(
    (await everyRecordOf(store)).map((addition) => [JSON.stringify(addition), addition]),
  );
  return [...distinct.values()];
}

async function everyRecordOf(store: RevocationStore): Promise<Addition[]> {
  const additions: Addition[] = [];
  for await (const chunk of store.load()) additions.push(...unpackAdditions(chunk));
  return additions;
}

export async function expectCode(call: Promise<unknown>, code: ErrorCode): Promise<void> {
  const outcome = await call.then(
    () => "no error",
    (error: unknown) => (error instanceof AppError ? error.code : String(error)),
  );
  expect(outcome).to.equal(code);
}

export async function listen(store: RevocationStore) {
  const heard = {
    announcements: [] as Announcement[],
    reports: [] as string[],
    applied: [] as (readonly string[])[],
  };
  let gaps = 0;
  const listener: StoreListener = {
    onAnnouncement: (announcement) => void heard.announcements.push(announcement),
    onReport: (instanceId) => void heard.reports.push(instanceId),
    onApplied: (eventIds) => void heard.applied.push(eventIds),
    onGap: () => void (gaps += 1),
  };
  const subscription = await store.subscribe(listener);
  return { ...heard, gaps: () => gaps, close: () => subscription.close() };
}

function strictest(additions: readonly Addition[], subject: string) {
  const ofSubject = additions.filter(
    (a): a is CutOff => a.kind === "cut-off" && a.subject === fingerprint(subject),
  );
  return {
    epoch: Math.max(...ofSubject.map(({ epoch }) => epoch)),
    notBefore: Math.max(...ofSubject.map(({ notBefore }) => notBefore)),
    until: Math.max(...ofSubject.map(({ until }) => until)),
  };
}

function plain({ additions, ...rest }: Announcement & { additions: PackedAdditions }) {
  return { ...rest, additions: unpackAdditions(additions) };
}
