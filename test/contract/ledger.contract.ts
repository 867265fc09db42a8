import { expect } from "chai";
import { beforeEach, describe, it } from "mocha";
import type { AppliedNote, Ledger, LedgerRow, PendingRow } from "../../shared/ports/ledger.ts";
import { createPosition } from "../../shared/revocation/position.ts";
import { pendingRow } from "../support/ledger-rows.ts";
import type { Databases } from "./database.contract.ts";
import { fenceContract } from "./fence.contract.ts";
import { marksContract } from "./marks.contract.ts";

export function ledgerContract(databases: () => Databases): void {
  describe("ledger", () => {
    let ledger: Ledger;
    let elsewhere: Ledger;

    beforeEach(() => {
      ledger = databases().one.ledger;
      elsewhere = databases().other.ledger;
    });

    const insert = (...rows: readonly Partial<PendingRow>[]) => ledger.insertPending(rows.map(pendingRow));
    const stateOf = async (eventId: string) => (await elsewhere.find(eventId))?.status;

    describe("insertPending", () => {
      it("inserts rows that every connection reads whole", async () => {
        const bare = pendingRow();
        const full: PendingRow = {
          eventId: "e2",
          type: "token.revoked",
          subject: null,
          external: { iss: "https://idp.test", sub: "a" },
          jti: "t1",
          sid: "s1",
          epoch: 4,
          notBefore: 1_700_000_000,
          reason: "lost",
          actor: "admin",
          source: "https://hr.test",
          sourceEventId: "hr-1",
          content: "a digest",
          effectiveAtMs: 900,
          requestedAtMs: 1_000,
        };
        await ledger.insertPending([bare, full]);

        expect(await elsewhere.find("e1")).to.deep.equal({ ...bare, ...untouched });
        expect(await elsewhere.find("e2")).to.deep.equal({ ...full, ...untouched });
        expect(await elsewhere.find("e3")).to.equal(null);
      });

      it("keeps the row that is there, and inserts the others", async () => {
        await insert({ eventId: "e1", reason: "first" });
        await ledger.noteApplied("e1", note());
        const before = await ledger.find("e1");

        await insert({ eventId: "e0" }, { eventId: "e1", reason: "second" }, { eventId: "e2" });
        expect(await ledger.find("e1")).to.deep.equal(before);
        expect(await stateOf("e0")).to.equal("pending");
        expect(await stateOf("e2")).to.equal("pending");
      });

      it("takes the same rows from many at once", async () => {
        const rows = Array.from({ length: 20 }, (_, index) => pendingRow({ eventId: `e${index}` }));

        const inserts = [ledger, elsewhere, ledger, elsewhere].map((one) => one.insertPending(rows));
        await Promise.all([...inserts, ledger.insertPending([])]);
        expect(await ledger.list({ limit: 100 })).to.have.lengthOf(20);
      });
    });

    describe("reading", () => {
      it("finds the rows of the ids that are there", async () => {
        await insert({ eventId: "e1" }, { eventId: "e2" }, { eventId: "e3" });

        const found = await ledger.findMany(["e3", "e9", "e1"]);
        expect(idsOf(found).toSorted()).to.deep.equal(["e1", "e3"]);
        expect(await ledger.findMany([])).to.deep.equal([]);
      });

      it("pages with the newest first, and by id among those of one time", async () => {
        await insert(
          { eventId: "b", requestedAtMs: 2_000 },
          { eventId: "a", requestedAtMs: 2_000 },
          { eventId: "e", requestedAtMs: 1_000 },
          { eventId: "c", requestedAtMs: 2_000 },
          { eventId: "d", requestedAtMs: 3_000 },
        );

        expect(idsOf(await ledger.list({ limit: 2 }))).to.deep.equal(["d", "c"]);
        const second = { limit: 2, after: { requestedAtMs: 2_000, eventId: "c" } };
        expect(idsOf(await ledger.list(second))).to.deep.equal(["b", "a"]);
        const third = { limit: 2, after: { requestedAtMs: 2_000, eventId: "a" } };
        expect(idsOf(await ledger.list(third))).to.deep.equal(["e"]);
      });

      it("lists what concerns one subject, or one token", async () => {
        await insert(
          { eventId: "e1", requestedAtMs: 1_000 },
          { eventId: "e2", requestedAtMs: 2_000, jti: "t1" },
          { eventId: "e3", requestedAtMs: 3_000, subject: "u2", jti: "t1" },
          { eventId: "e4", requestedAtMs: 4_000, subject: null },
        );

        expect(idsOf(await ledger.list({ limit: 9, subject: "u1" }))).to.deep.equal(["e2", "e1"]);
        expect(idsOf(await ledger.list({ limit: 9, jti: "t1" }))).to.deep.equal(["e3", "e2"]);
        expect(idsOf(await ledger.list({ limit: 9, jti: "t1", subject: "u1" }))).to.deep.equal(["e2"]);
        const after = { requestedAtMs: 2_000, eventId: "e2" };
        expect(idsOf(await ledger.list({ limit: 9, subject: "u1", after }))).to.deep.equal(["e1"]);
      });
    });

    describe("noteApplied", () => {
      it("turns a pending row into an applied one", async () => {
        await insert({ eventId: "e1" });
        const noted = await ledger.noteApplied("e1", note({ unrecorded: true, tokensRevoked: 2 }));

        expect(noted).to.equal(true);
        expect(await elsewhere.find("e1")).to.deep.equal({
          ...pendingRow(),
          ...untouched,
          ...note({ unrecorded: true, tokensRevoked: 2 }),
          status: "applied",
        });
      });

      it("notes many at once, each as by itself", async () => {
        for (const eventId of ["e1", "e2", "e3"]) await insert({ eventId });
        const place = {
          incarnation: "first",
          positions: [createPosition(5, 0)],
          enforcedAtMs: 9_000,
          instances: [],
        };
        await ledger.noteApplied("e2", note({ position: createPosition(5, 0) }));
        await ledger.noteEnforced(["e2"], place);
        const later = note({ position: createPosition(9, 0), tokensRevoked: 4 });
        const notes = ["e1", "e2", "e3", "gone"].map((eventId) => ({ eventId, note: later }));

        expect(await elsewhere.noteManyApplied(notes)).to.deep.equal([true, true, true, false]);
        expect(await ledger.find("e1")).to.include({ status: "applied", tokensRevoked: 4 });
        expect(await ledger.find("e2")).to.include({ status: "enforced", position: createPosition(5, 0) });
        const earlier = note({ position: createPosition(5, 0), untilMs: 99_000 });
        expect(
          await ledger.noteManyApplied([
            { eventId: "e1", note: earlier },
            { eventId: "e3", note: later },
          ]),
        ).to.deep.equal([true, true]);
        expect(await ledger.find("e1")).to.include({ position: createPosition(9, 0), untilMs: 99_000 });
      });

      it("notes the user and the epoch that were not known when the row was made", async () => {
        await insert({ eventId: "e1", subject: null, epoch: null });
        await ledger.noteApplied("e1", note({ subject: "u7", epoch: 5, notBefore: 1_700 }));

        expect(await ledger.find("e1")).to.include({ subject: "u7", epoch: 5, notBefore: 1_700 });
        expect(idsOf(await ledger.list({ limit: 9, subject: "u7" }))).to.deep.equal(["e1"]);
      });

      it("never lowers the number of tokens, the epoch or the time until which the row is kept", async () => {
        await insert({ eventId: "e1" });
        await ledger.noteApplied("e1", note({ tokensRevoked: 5, epoch: 4, untilMs: 9_000 }));
        const later = { tokensRevoked: 3, epoch: 3, untilMs: 8_000, position: createPosition(7, 0) };
        await ledger.noteApplied("e1", note(later));

        expect(await ledger.find("e1")).to.include({
          tokensRevoked: 5,
          epoch: 4,
          untilMs: 9_000,
          position: later.position,
        });
      });

      it("keeps the last position of an incarnation, in whatever order the notes come", async () => {
        await insert({ eventId: "e1" });
        for (const sequence of [3, 12, 5]) {
          const noted = await ledger.noteApplied("e1", note({ position: createPosition(5, sequence) }));
          expect(noted).to.equal(true);
        }

        expect((await ledger.find("e1"))?.position).to.equal(createPosition(5, 12));
      });

      it("takes the position of another incarnation, even a smaller one", async () => {
        await insert({ eventId: "e1" });
        await ledger.noteApplied("e1", note({ position: createPosition(9, 0) }));
        const second = { incarnation: "second", position: createPosition(1, 0) };
        await ledger.noteApplied("e1", note(second));

        expect(await ledger.find("e1")).to.include({ status: "applied", ...second });
      });

      it("leaves an enforced row as it is", async () => {
        await insert({ eventId: "e1" });
        await ledger.noteApplied("e1", note());
        await ledger.noteEnforced(["e1"], enforced());
        const before = await ledger.find("e1");

        const elsewherePut = note({ incarnation: "second", tokensRevoked: 9, untilMs: 99_000 });
        expect(await ledger.noteApplied("e1", elsewherePut)).to.equal(true);
        const later = note({ position: createPosition(8, 0), tokensRevoked: 9 });
        expect(await ledger.noteApplied("e1", later)).to.equal(true);
        expect(await ledger.find("e1")).to.deep.equal(before);
      });

      it("widens what a row reaches, also with the note of an earlier position", async () => {
        await insert({ eventId: "e1", epoch: null });
        await ledger.noteApplied("e1", note({ epoch: null, position: createPosition(5, 9) }));
        const wider = { epoch: 8, tokensRevoked: 8, untilMs: 80_000, unrecorded: true };
        await elsewhere.noteApplied("e1", note({ ...wider, position: createPosition(5, 1) }));
        expect(await ledger.find("e1")).to.include({ ...wider, position: createPosition(5, 9) });

        const narrower = { epoch: null, unrecorded: false, incarnation: "second" };
        await elsewhere.noteApplied("e1", note(narrower));
        expect(await ledger.find("e1")).to.include({ ...wider, incarnation: "second" });
      });

      it("moves the time at which it was applied with the place, and not without it", async () => {
        await insert({ eventId: "e1" });
        const times = [];
        for (const [sequence, appliedAtMs] of [
          [3, 1_000],
          [2, 2_000],
          [3, 3_000],
          [4, 4_000],
        ] as const) {
          const position = createPosition(5, sequence);
          await ledger.noteApplied("e1", note({ position, appliedAtMs }));
          times.push((await elsewhere.find("e1"))?.appliedAtMs);
        }
        expect(times).to.deep.equal([1_000, 1_000, 1_000, 4_000]);
      });

      it("keeps what it knew where a later note knows nothing", async () => {
        await insert({ eventId: "e1" });
        await ledger.noteApplied("e1", note({ epoch: 3, notBefore: 7, unrecorded: true }));
        await elsewhere.noteApplied("e1", note({ subject: null, position: createPosition(9, 0) }));

        const known = { subject: "u1", epoch: 3, notBefore: 7, unrecorded: true };
        expect(await ledger.find("e1")).to.include({ ...known, position: createPosition(9, 0) });
      });

      it("makes no row, and says that there is none", async () => {
        expect(await ledger.noteApplied("e1", note())).to.equal(false);

        expect(await ledger.find("e1")).to.equal(null);
      });
    });

    describe("noteEnforced", () => {
      it("turns an applied row into an enforced one, once, with who enforced it", async () => {
        await insert({ eventId: "e1" });
        await ledger.noteApplied("e1", note());

        const outcomes = await Promise.all(
          [ledger, elsewhere].map((one) => one.noteEnforced(["e1"], enforced())),
        );
        expect(outcomes).to.have.members([0, 1]);
        const { enforcedAtMs, instances } = enforced();
        expect(await ledger.find("e1")).to.deep.include({ status: "enforced", enforcedAtMs, instances });
      });

      it("changes those of many rows that are where they were seen, and says how many", async () => {
        await insert({ eventId: "e1" }, { eventId: "e2" }, { eventId: "e3" }, { eventId: "e4" });
        await ledger.noteApplied("e1", note());
        await ledger.noteApplied("e2", note({ position: createPosition(6, 0) }));
        await ledger.noteApplied("e3", note({ position: createPosition(7, 0) }));

        const positions = [createPosition(5, 0), createPosition(6, 0)];
        const noted = await ledger.noteEnforced(["e1", "e2", "e3", "e4"], { ...enforced(), positions });
        expect(noted).to.equal(2);
        const states = await Promise.all(["e1", "e2", "e3", "e4"].map(stateOf));
        expect(states).to.deep.equal(["enforced", "enforced", "applied", "pending"]);
      });

      it("is refused while the row is pending, or is not there", async () => {
        await insert({ eventId: "e1" });

        expect(await ledger.noteEnforced(["e1"], enforced())).to.equal(0);
        expect(await ledger.noteEnforced(["e2"], enforced())).to.equal(0);
        expect(await stateOf("e1")).to.equal("pending");
      });

      it("comes before a note of another place or is refused after it, never both", async () => {
        for (const eventId of ["e1", "e2", "e3", "e4", "e5"]) {
          await insert({ eventId });
          await ledger.noteApplied(eventId, note());
          const [isEnforced] = await Promise.all([
            ledger.noteEnforced([eventId], enforced()),
            elsewhere.noteApplied(eventId, note({ incarnation: "second" })),
          ]);
          const expected = isEnforced
            ? { status: "enforced", incarnation: note().incarnation }
            : { status: "applied", incarnation: "second" };
          expect(await ledger.find(eventId)).to.include(expected);
        }
      });

      it("is refused once the row was written elsewhere", async () => {
        await insert({ eventId: "e1" });
        await ledger.noteApplied("e1", note());

        const elsewherePut = { ...enforced(), positions: [createPosition(6, 0)] };
        expect(await ledger.noteEnforced(["e1"], elsewherePut)).to.equal(0);
        expect(await ledger.noteEnforced(["e1"], { ...enforced(), incarnation: "second" })).to.equal(0);
        expect(await stateOf("e1")).to.equal("applied");
      });
    });

    describe("noteFailed", () => {
      it("turns a pending row into a failed one, which waits for nothing and is over in its time", async () => {
        await insert({ eventId: "e1" });
        await ledger.noteFailed("e1", { untilMs: 9_000 });

        const failed = { ...pendingRow(), ...untouched, status: "failed", untilMs: 9_000 };
        expect(await elsewhere.find("e1")).to.deep.equal(failed);
        expect(await elsewhere.listPending(9)).to.deep.equal([]);
        expect(idsOf(await elsewhere.listExpired(overAt(9_001), 9))).to.deep.equal(["e1"]);
      });

      it("stands until the event is applied after all", async () => {
        await insert({ eventId: "e1" });
        await ledger.noteFailed("e1", { untilMs: 9_000 });
        const before = await ledger.find("e1");

        await elsewhere.noteFailed("e1", { untilMs: 10_000 });
        expect(await ledger.find("e1")).to.deep.equal(before);
        await elsewhere.noteApplied("e1", note());
        const { appliedAtMs, incarnation, position } = note();
        expect(await ledger.find("e1")).to.include({ status: "applied", appliedAtMs, incarnation, position });
      });

      it("leaves every other row as it is, and makes none", async () => {
        await insert({ eventId: "e1" }, { eventId: "e2" });
        for (const id of ["e1", "e2"]) await ledger.noteApplied(id, note());
        await ledger.noteEnforced(["e2"], enforced());
        for (const id of ["e1", "e2", "e3"]) await ledger.noteFailed(id, { untilMs: 99_000 });

        expect(await stateOf("e1")).to.equal("applied");
        expect(await stateOf("e2")).to.equal("enforced");
        expect(await ledger.find("e3")).to.equal(null);
      });
    });

    it("lets a note of another place or the settling win, never both", async () => {
      for (const eventId of ["e1", "e2", "e3", "e4", "e5"]) {
        await insert({ eventId });
        await ledger.noteApplied(eventId, note());
        const [isEnforced] = await Promise.all([
          ledger.noteEnforced([eventId], enforced()),
          elsewhere.noteApplied(eventId, note({ incarnation: "second" })),
        ]);

        const [status, incarnation] = isEnforced ? ["enforced", "first"] : ["applied", "second"];
        expect(await ledger.find(eventId)).to.include({ status, incarnation });
      }
    });

    describe("what waits", () => {
      it("is listed with the oldest first while it is applied and not enforced", async () => {
        await insert(
          { eventId: "e1", requestedAtMs: 3_000 },
          { eventId: "e2", requestedAtMs: 1_000 },
          { eventId: "e3", requestedAtMs: 2_000 },
          { eventId: "e4", requestedAtMs: 500 },
          { eventId: "e5", requestedAtMs: 600 },
        );
        for (const id of ["e1", "e2", "e3", "e4"]) await ledger.noteApplied(id, note());
        await ledger.noteEnforced(["e4"], enforced());

        expect(idsOf(await ledger.listUnsettled(9))).to.deep.equal(["e2", "e3", "e1"]);
        expect(idsOf(await ledger.listUnsettled(2))).to.deep.equal(["e2", "e3"]);
        const after = { requestedAtMs: 1_000, eventId: "e2" };
        expect(idsOf(await ledger.listUnsettled(9, after))).to.deep.equal(["e3", "e1"]);
        const between = { requestedAtMs: 2_000, eventId: "e1" };
        expect(idsOf(await ledger.listUnsettled(1, between))).to.deep.equal(["e3"]);
      });

      it("lists those that are pending, the oldest first", async () => {
        expect(await ledger.listPending(9)).to.deep.equal([]);

        await insert(
          { eventId: "e1", requestedAtMs: 500 },
          { eventId: "e2", requestedAtMs: 3_000 },
          { eventId: "e3", requestedAtMs: 2_000 },
        );
        await ledger.noteApplied("e1", note());
        expect(idsOf(await elsewhere.listPending(9))).to.deep.equal(["e3", "e2"]);
        expect(idsOf(await elsewhere.listPending(1))).to.deep.equal(["e3"]);
      });

      it("lists those that are pending on from any place, equal times by id", async () => {
        await insert(
          { eventId: "e4", requestedAtMs: 2_000 },
          { eventId: "e2", requestedAtMs: 3_000 },
          { eventId: "e1", requestedAtMs: 2_000 },
          { eventId: "e3", requestedAtMs: 1_000 },
        );
        expect(idsOf(await ledger.listPending(9))).to.deep.equal(["e3", "e1", "e4", "e2"]);
        const after = { requestedAtMs: 2_000, eventId: "e1" };
        expect(idsOf(await ledger.listPending(9, after))).to.deep.equal(["e4", "e2"]);
        expect(idsOf(await ledger.listPending(1, after))).to.deep.equal(["e4"]);
        expect(await ledger.listPending(9, { requestedAtMs: 3_000, eventId: "e2" })).to.deep.equal([]);
      });
    });

    describe("the life of a row", () => {
      beforeEach(async () => {
        await insert(...["a", "b", "c", "d", "e"].map((eventId) => ({ eventId })));
        await ledger.noteApplied("a", note({ untilMs: 10_000 }));
        await ledger.noteApplied("b", note({ untilMs: 9_999 }));
        await ledger.noteApplied("c", note({ untilMs: 5_000 }));
        await ledger.noteApplied("d", note({ untilMs: 20_000 }));
        await ledger.noteEnforced(["d"], enforced());
        await ledger.noteEnforced(["c"], enforced());
      });

      it("lists what lives or is pending, in pages by id", async () => {
        expect(idsOf(await ledger.listLive({ nowMs: 10_000, limit: 2 }))).to.deep.equal(["a", "d"]);
        expect(idsOf(await ledger.listLive({ nowMs: 10_000, after: "d", limit: 2 }))).to.deep.equal(["e"]);
        expect(idsOf(await ledger.listLive({ nowMs: 30_000, limit: 9 }))).to.deep.equal(["e"]);
      });

      it("lists what lives without the instances of its receipt", async () => {
        expect((await ledger.find("d"))?.instances).to.have.lengthOf.above(0);
        const [row] = await ledger.listLive({ nowMs: 10_000, after: "c", limit: 1 });
        expect(row).to.deep.include({ eventId: "d", status: "enforced", instances: [] });
      });

      it("lists what is over, and never a pending row", async () => {
        expect(idsOf(await ledger.listExpired(overAt(10_000), 9)).toSorted()).to.deep.equal(["b", "c"]);
        expect(await ledger.listExpired(overAt(10_000), 1)).to.have.lengthOf(1);
        const all = idsOf(await ledger.listExpired(overAt(99_000), 9)).toSorted();
        expect(all).to.deep.equal(["a", "b", "c", "d"]);
        expect(await ledger.listExpired(overAt(99_000), 3)).to.have.lengthOf(3);
      });

      it("lists and removes what is applied and not enforced by a time of its own", async () => {
        const over = { untilBeforeMs: 99_000, unsettledUntilBeforeMs: 10_000 };
        expect(idsOf(await ledger.listExpired(over, 9)).toSorted()).to.deep.equal(["b", "c", "d"]);
        expect(await ledger.removeRows(["a", "b", "c", "d"], over)).to.equal(3);
      });

      it("removes the rows it is given, and says how many", async () => {
        expect(await ledger.removeRows(["b", "c", "z"], overAt(10_000))).to.equal(2);
        expect(await ledger.removeRows([], overAt(10_000))).to.equal(0);

        expect(idsOf(await ledger.list({ limit: 9 })).toSorted()).to.deep.equal(["a", "d", "e"]);
      });

      it("removes none of them that is pending, or lives again since it was listed", async () => {
        await insert({ eventId: "f" });
        await ledger.noteFailed("f", { untilMs: 5_000 });
        await elsewhere.noteApplied("f", note({ untilMs: 10_000 }));

        expect(await ledger.removeRows(["a", "b", "e", "f"], overAt(10_000))).to.equal(1);
        expect(idsOf(await ledger.list({ limit: 9 })).toSorted()).to.deep.equal(["a", "c", "d", "e", "f"]);
      });
    });

    marksContract(databases);
    fenceContract(databases);
  });
}

const overAt = (untilBeforeMs: number) => ({ untilBeforeMs, unsettledUntilBeforeMs: untilBeforeMs });

const idsOf = (rows: readonly LedgerRow[]) => rows.map(({ eventId }) => eventId);

const untouched = {
  status: "pending",
  hold: null,
  untilMs: null,
  unrecorded: false,
  appliedAtMs: null,
  incarnation: null,
  position: null,
  enforcedAtMs: null,
  tokensRevoked: 0,
  instances: [],
} as const;

function note(changed: Partial<AppliedNote> = {}): AppliedNote {
  return {
    subject: "u1",
    epoch: null,
    notBefore: null,
    unrecorded: false,
    untilMs: 9_000,
    appliedAtMs: 2_000,
    incarnation: "first",
    position: createPosition(5, 0),
    tokensRevoked: 0,
    ...changed,
  };
}

function enforced() {
  return {
    incarnation: "first",
    positions: [createPosition(5, 0)],
    enforcedAtMs: 3_000,
    instances: [
      { id: "api-1", state: "enforced", atMs: 2_900 },
      { id: "api-2", state: "fenced", atMs: null },
    ],
  } as const;
}
