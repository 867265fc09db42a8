import { expect } from "chai";
import { beforeEach, describe, it } from "mocha";
import type { Ledger } from "../../shared/ports/ledger.ts";
import { createPosition } from "../../shared/revocation/position.ts";
import { pendingRow } from "../support/ledger-rows.ts";
import type { Databases } from "./database.contract.ts";

const admitted = { heldUntilMs: null };
const held = { heldUntilMs: 5_000 };
const confirmation = { by: "admin-1", atMs: 3_000 };
const row = pendingRow();

export function holdsContract(databases: () => Databases): void {
  describe("holds", () => {
    let ledger: Ledger;
    let elsewhere: Ledger;

    beforeEach(() => {
      ledger = databases().one.ledger;
      elsewhere = databases().other.ledger;
    });

    const find = () => elsewhere.find("e1");
    const hold = async () => void (await ledger.judge(row, held));

    it("inserts a held row with all that the event said", async () => {
      const judged = await ledger.judge(pendingRow({ reason: "left", actor: "hr" }), held);

      expect(judged).to.deep.include({ ...pendingRow({ reason: "left", actor: "hr" }), status: "held" });
      expect(judged).to.deep.include({ hold: { state: "held" }, untilMs: 5_000 });
      expect(await find()).to.deep.equal(judged);
    });

    it("inserts an admitted row as pending", async () => {
      const judged = await ledger.judge(row, admitted);

      expect(judged).to.deep.include({ status: "pending", hold: { state: "admitted" }, untilMs: null });
      expect(await find()).to.deep.equal(judged);
    });

    it("judges a pending row that was not judged yet", async () => {
      await ledger.insertPending([pendingRow({ reason: "first" })]);

      expect(await ledger.judge(row, held)).to.include({ status: "held", reason: "first" });
    });

    it("lets the first of two verdicts stand", async () => {
      await hold();
      expect(await elsewhere.judge(row, admitted)).to.include({ status: "held" });

      await ledger.judge(pendingRow({ eventId: "e2" }), admitted);
      expect(await elsewhere.judge(pendingRow({ eventId: "e2" }), held)).to.include({ status: "pending" });
    });

    it("lets one of many verdicts at the same time stand", async () => {
      const verdicts = [held, admitted, held, admitted, held];
      const judged = await Promise.all(
        verdicts.map((verdict, at) => (at % 2 === 0 ? ledger : elsewhere).judge(row, verdict)),
      );

      expect(new Set(judged.map(({ status }) => status)).size).to.equal(1);
    });

    it("confirms a held row once, into a pending one", async () => {
      await hold();
      const confirmed = await ledger.confirmHold("e1", confirmation);

      expect(confirmed).to.deep.include({
        status: "pending",
        untilMs: null,
        hold: { state: "confirmed", ...confirmation },
      });
      expect(await find()).to.deep.equal(confirmed);
      expect(await elsewhere.confirmHold("e1", confirmation)).to.equal(null);
      expect(await elsewhere.confirmHold("e9", confirmation)).to.equal(null);
    });

    it("ends only what is over, and what is ending is not confirmed any more", async () => {
      await hold();
      expect(await ledger.beginHoldEnd("e1", 5_000)).to.equal(false);
      expect(await ledger.beginHoldEnd("e1", 5_001)).to.equal(true);

      expect(await elsewhere.confirmHold("e1", confirmation)).to.equal(null);
      expect(await find()).to.deep.include({ status: "held", hold: { state: "ending" } });
      expect(await elsewhere.beginHoldEnd("e1", 0)).to.equal(true);
    });

    it("lets either the confirmation or the end win", async () => {
      for (let round = 0; round < 5; round += 1) {
        const eventId = `r${round}`;
        await ledger.judge(pendingRow({ eventId }), held);
        const [confirmed, isEnding] = await Promise.all([
          ledger.confirmHold(eventId, confirmation),
          elsewhere.beginHoldEnd(eventId, 9_000),
        ]);
        expect(confirmed !== null).to.not.equal(isEnding);
      }
    });

    it("makes an ending one failed, which may be judged anew", async () => {
      await hold();
      await ledger.endHold("e1", { untilMs: 9_000 });
      expect(await find()).to.include({ status: "held" });
      await ledger.beginHoldEnd("e1", 6_000);
      await ledger.endHold("e1", { untilMs: 9_000 });

      expect(await find()).to.include({ status: "failed", hold: null, untilMs: 9_000 });
      expect(await elsewhere.judge(row, admitted)).to.include({ status: "pending", untilMs: null });
    });

    it("keeps the verdict of one that failed for another reason", async () => {
      await ledger.judge(row, admitted);
      await ledger.noteFailed("e1", { untilMs: 9_000 });

      expect(await elsewhere.judge(row, held)).to.deep.include({
        status: "failed",
        hold: { state: "admitted" },
      });
    });

    it("lists those that are over or ending, the oldest first, and counts all", async () => {
      await hold();
      await ledger.judge(pendingRow({ eventId: "e0", requestedAtMs: 500 }), held);
      await ledger.judge(pendingRow({ eventId: "later" }), { heldUntilMs: 8_000 });
      await ledger.judge(pendingRow({ eventId: "admitted" }), admitted);

      const over = await elsewhere.listHoldsOver(6_000, 10);
      expect(over.map(({ eventId }) => eventId)).to.deep.equal(["e0", "e1"]);
      expect(await elsewhere.listHoldsOver(6_000, 1)).to.have.lengthOf(1);
      await ledger.beginHoldEnd("e0", 6_000);
      expect(await elsewhere.listHoldsOver(1_000, 10)).to.have.lengthOf(1);
      expect(await elsewhere.countHeld()).to.equal(3);
    });

    it("are found by their status, and neither purged nor taken for pending", async () => {
      await hold();
      await ledger.insertPending([pendingRow({ eventId: "e2" })]);
      const over = { untilBeforeMs: 99_000, unsettledUntilBeforeMs: 99_000 };

      expect(await elsewhere.list({ status: "held", limit: 9 })).to.have.lengthOf(1);
      expect(await elsewhere.list({ status: "held", subject: "u2", limit: 9 })).to.deep.equal([]);
      expect(await elsewhere.listExpired(over, 9)).to.deep.equal([]);
      expect(await elsewhere.removeRows(["e1"], over)).to.equal(0);
      expect((await elsewhere.listPending(9)).map(({ eventId }) => eventId)).to.deep.equal(["e2"]);
    });

    it("is left as it is by a note of having been applied", async () => {
      await hold();
      const note = {
        subject: "u1",
        epoch: 1,
        notBefore: null,
        unrecorded: false,
        untilMs: 9_000,
        appliedAtMs: 2_000,
        incarnation: "first",
        position: createPosition(5, 0),
        tokensRevoked: 0,
      };

      expect(await elsewhere.noteApplied("e1", note)).to.equal(true);
      expect(await find()).to.include({ status: "held", appliedAtMs: null });
    });
  });
}
