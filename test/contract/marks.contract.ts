import { expect } from "chai";
import { beforeEach, describe, it } from "mocha";
import type { Ledger, MarkRequest, TokenSelection } from "../../shared/ports/ledger.ts";
import type { SessionStore, TokenRecord } from "../../shared/ports/session-store.ts";
import type { Databases } from "./database.contract.ts";
import { aToken } from "./session-store.contract.ts";

export function marksContract(databases: () => Databases): void {
  describe("marks on tokens", () => {
    let ledger: Ledger;
    let elsewhere: Ledger;
    let sessions: SessionStore;

    beforeEach(() => {
      ({ ledger, sessions } = databases().one);
      elsewhere = databases().other.ledger;
    });

    const record = async (...tokens: readonly Partial<TokenRecord>[]) => {
      for (const token of tokens) await sessions.recordToken(aToken(token));
    };
    const markedBy = async (eventId: string) =>
      (await ledger.listMarked([eventId], { expiresAfterMs: 0, limit: 100 })).map(({ jti }) => jti);

    const selections: readonly [string, TokenSelection, readonly string[]][] = [
      [
        "of a subject below an epoch",
        { by: "epoch", subject: "u1", belowEpoch: 2, nowMs: 2_000 },
        ["t1", "t2"],
      ],
      [
        "of a subject issued by a time",
        { by: "issued-at", subject: "u1", issuedAtOrBeforeMs: 1_500, nowMs: 2_000 },
        ["t1", "t3"],
      ],
      ["of a session", { by: "session", sid: "s2", nowMs: 2_000 }, ["t2", "t3"]],
      ["of one id", { by: "jti", jti: "t4", nowMs: 2_000 }, ["t4"]],
    ];
    for (const [what, selection, chosen] of selections) {
      it(`marks the tokens ${what}, and no others`, async () => {
        await record(
          { jti: "t1", epoch: 0, issuedAtMs: 1_500 },
          { jti: "t2", epoch: 1, issuedAtMs: 1_501, sid: "s2" },
          { jti: "t3", epoch: 2, issuedAtMs: 1_000, sid: "s2" },
          { jti: "t4", epoch: 0, issuedAtMs: 1_000, subject: "u2", sid: "s3" },
        );

        expect(await ledger.markTokens("e1", selection, 100)).to.equal(chosen.length);
        expect(await markedBy("e1")).to.deep.equal(chosen);
      });
    }

    it("marks no token that has expired", async () => {
      await record({ jti: "t1", expiresAtMs: 2_000 }, { jti: "t2", expiresAtMs: 2_001 });

      expect(await ledger.markTokens("e1", ofSubject(2_000), 100)).to.equal(1);
      expect(await markedBy("e1")).to.deep.equal(["t2"]);
    });

    it("leaves a token with the mark it has", async () => {
      await record({ jti: "t1" });
      await ledger.markTokens("e1", ofSubject(), 100);
      await record({ jti: "t2" });

      expect(await ledger.markTokens("e2", ofSubject(), 100)).to.equal(1);
      expect(await ledger.markTokens("e1", ofSubject(), 100)).to.equal(0);
      expect(await sessions.findToken("t1")).to.include({ revokedBy: "e1" });
      expect(await sessions.findToken("t2")).to.include({ revokedBy: "e2" });
    });

    it("marks as many as it may in one call, and less only when none is left", async () => {
      await record(...Array.from({ length: 5 }, (_, index) => ({ jti: `t${index}` })));

      expect(await ledger.markTokens("e1", ofSubject(), 2)).to.equal(2);
      expect(await markedBy("e1")).to.have.length(2);
      expect(await ledger.markTokens("e1", ofSubject(), 2)).to.equal(2);
      expect(await ledger.markTokens("e1", ofSubject(), 2)).to.equal(1);
    });

    it("marks each token once, however many mark at once", async () => {
      await record(...Array.from({ length: 12 }, (_, index) => ({ jti: `t${index}` })));

      const marking = ["e1", "e2", "e3", "e4"].map((eventId, index) =>
        (index % 2 === 0 ? ledger : elsewhere).markTokens(eventId, ofSubject(), 100),
      );
      const counts = await Promise.all(marking);
      const marked = await Promise.all(["e1", "e2", "e3", "e4"].map(markedBy));
      expect(counts).to.deep.equal(marked.map(({ length }) => length));
      expect(counts.reduce((sum, count) => sum + count, 0)).to.equal(12);
    });

    it("says fewer than it might have marked only when none is left, whoever marks meanwhile", async () => {
      for (const subject of ["u1", "u2", "u3", "u4"]) {
        await record(...Array.from({ length: 8 }, (_, index) => ({ jti: `${subject}-${index}`, subject })));
        const selection: TokenSelection = { by: "epoch", subject, belowEpoch: 9, nowMs: 2_000 };

        const marking = [ledger, elsewhere].map((one, index) => one.markTokens(`e${index}`, selection, 4));
        expect(await Promise.all(marking)).to.deep.equal([4, 4]);
      }
    });

    it("marks for many events at once, each what it means, and no token for two", async () => {
      await record(
        { jti: "a1", subject: "u1", epoch: 0, sid: "s1" },
        { jti: "a2", subject: "u1", epoch: 1, sid: "s1" },
        { jti: "a3", subject: "u1", epoch: 5, sid: "s9" },
        { jti: "b1", subject: "u2", epoch: 0, sid: "s2", issuedAtMs: 1_500 },
        { jti: "b2", subject: "u2", epoch: 0, sid: "s2", issuedAtMs: 1_501 },
        { jti: "c1", subject: "u3", sid: "s3" },
        { jti: "d1", subject: "u4", sid: "s4", expiresAtMs: 2_000 },
        { jti: "f1", subject: "u6", sid: "s6", revokedBy: "e0" },
      );
      const requests: MarkRequest[] = [
        { eventId: "e1", selection: { by: "epoch", subject: "u1", belowEpoch: 5, nowMs: 2_000 } },
        {
          eventId: "e2",
          selection: { by: "issued-at", subject: "u2", issuedAtOrBeforeMs: 1_500, nowMs: 2_000 },
        },
        { eventId: "e3", selection: { by: "session", sid: "s3", nowMs: 2_000 } },
        { eventId: "e4", selection: { by: "jti", jti: "d1", nowMs: 2_000 } },
        { eventId: "e5", selection: { by: "epoch", subject: "nobody", belowEpoch: 9, nowMs: 2_000 } },
        { eventId: "e6", selection: { by: "session", sid: "s6", nowMs: 2_000 } },
        { eventId: "e7", selection: { by: "session", sid: "s9", nowMs: 2_000 } },
        { eventId: "e8", selection: { by: "session", sid: "s1", nowMs: 2_000 } },
      ];

      expect(await ledger.markMany(requests, 100)).to.deep.equal([2, 1, 1, 0, 0, 0, 1, 0]);
      const marked = await Promise.all(requests.map(({ eventId }) => markedBy(eventId)));
      expect(marked).to.deep.equal([["a1", "a2"], ["b1"], ["c1"], [], [], [], ["a3"], []]);
    });

    it("marks for each of many no more than it may, and the rest when it is asked again", async () => {
      const tokensOf = (subject: string) =>
        Array.from({ length: 5 }, (_, n) => ({ jti: `${subject}-${n}`, subject }));
      await record(...tokensOf("u1"), ...tokensOf("u2"));
      const requests = ["u1", "u2"].map(
        (subject): MarkRequest => ({
          eventId: `of ${subject}`,
          selection: { by: "epoch", subject, belowEpoch: 9, nowMs: 2_000 },
        }),
      );
      for (const marked of [
        [3, 3],
        [2, 2],
        [0, 0],
      ])
        expect(await ledger.markMany(requests, 3)).to.deep.equal(marked);
      expect(await markedBy("of u2")).to.have.length(5);
    });

    it("marks for many although one has very many", async () => {
      await record(...Array.from({ length: 40 }, (_, n) => ({ jti: `t${n}`, subject: "u1" })));
      await record({ jti: "other", subject: "u2" });
      const requests = ["u1", "u2"].map(
        (subject): MarkRequest => ({
          eventId: subject,
          selection: { by: "epoch", subject, belowEpoch: 9, nowMs: 2_000 },
        }),
      );
      expect(await ledger.markMany(requests, 4)).to.deep.equal([4, 1]);
      expect(await markedBy("u2")).to.deep.equal(["other"]);
    });

    it("gives each of many subjects its last expiry", async () => {
      await record(
        { jti: "t1", subject: "u1", expiresAtMs: 7_000 },
        { jti: "t2", subject: "u1", expiresAtMs: 8_000, revokedBy: "e1" },
        { jti: "t3", subject: "u2", expiresAtMs: 5_000 },
      );
      expect(Object.fromEntries(await ledger.lastExpiriesMs(["u1", "u2", "u3"]))).to.deep.equal({
        u1: 8_000,
        u2: 5_000,
      });
    });

    it("forgets the marks of tokens that were purged", async () => {
      await record({ jti: "t1", revokedBy: "e1", expiresAtMs: 2_000 });
      await sessions.purgeTokens(2_001, 10);

      expect(await markedBy("e1")).to.deep.equal([]);
      expect(await elsewhere.lastExpiryMs("u1")).to.equal(null);
    });

    it("lists the marked tokens of several events in pages by id, without the expired", async () => {
      await record(
        { jti: "a", revokedBy: "e1", expiresAtMs: 9_000 },
        { jti: "b", revokedBy: "e2", expiresAtMs: 5_001 },
        { jti: "c", revokedBy: "e2", expiresAtMs: 5_000 },
        { jti: "d", revokedBy: "e3" },
        { jti: "e", revokedBy: "e1" },
        { jti: "f" },
      );

      const page = { expiresAfterMs: 5_000, limit: 2 };
      expect(await ledger.listMarked(["e1", "e2"], page)).to.deep.equal([
        { jti: "a", expiresAtMs: 9_000, revokedBy: "e1" },
        { jti: "b", expiresAtMs: 5_001, revokedBy: "e2" },
      ]);
      const rest = await ledger.listMarked(["e1", "e2"], { ...page, after: "b" });
      expect(rest.map(({ jti }) => jti)).to.deep.equal(["e"]);
      expect(await ledger.listMarked([], page)).to.deep.equal([]);
      const ofAll = await ledger.listMarked(["e1", "e2"], { ...page, limit: 9, subjects: ["u1"] });
      expect(ofAll.map(({ jti }) => jti)).to.deep.equal(["a", "b", "e"]);
    });

    for (const [what, selection, chosen] of selections) {
      it(`lists the tokens ${what} that others marked`, async () => {
        const others = { epoch: 0, issuedAtMs: 1_500, subject: "u1", sid: "s2", revokedBy: "e1" };
        await record(
          { jti: "t1", epoch: 0, issuedAtMs: 1_500, revokedBy: "e1" },
          { jti: "t2", epoch: 1, issuedAtMs: 1_501, sid: "s2", revokedBy: "e2" },
          { jti: "t3", epoch: 2, issuedAtMs: 1_000, sid: "s2", revokedBy: "e1" },
          { jti: "t4", epoch: 0, issuedAtMs: 1_000, subject: "u2", sid: "s3", revokedBy: "e1" },
          { ...others, jti: "t5", revokedBy: "e3" },
          { ...others, jti: "t6", revokedBy: null },
          { ...others, jti: "t7", expiresAtMs: 2_000 },
        );
        const expected = chosen.map((jti) => ({
          jti,
          expiresAtMs: 9_000,
          revokedBy: jti === "t2" ? "e2" : "e1",
        }));

        expect(await ledger.listMarkedByOthers("e3", selection, { limit: 9 })).to.deep.equal(expected);
        const first = await elsewhere.listMarkedByOthers("e3", selection, { limit: 1 });
        expect(first).to.deep.equal(expected.slice(0, 1));
        const after = first[0]?.jti ?? "";
        const rest = await elsewhere.listMarkedByOthers("e3", selection, { limit: 9, after });
        expect(rest).to.deep.equal(expected.slice(1));
      });
    }

    it("lists the marked tokens of a range of events, without the expired", async () => {
      await record(
        { jti: "a", revokedBy: "e1", expiresAtMs: 9_000 },
        { jti: "b", revokedBy: "e2", expiresAtMs: 5_001 },
        { jti: "c", revokedBy: "e2", expiresAtMs: 5_000 },
        { jti: "d", revokedBy: "e3", expiresAtMs: 9_000 },
        { jti: "e", revokedBy: "e4", expiresAtMs: 9_000 },
        { jti: "f" },
      );

      const range = { from: "e2", to: "e3", expiresAfterMs: 5_000, limit: 3 };
      expect(await ledger.listMarkedBetween(range)).to.have.deep.members([
        { jti: "b", expiresAtMs: 5_001, revokedBy: "e2" },
        { jti: "d", expiresAtMs: 9_000, revokedBy: "e3" },
      ]);
      expect(await ledger.listMarkedBetween({ ...range, limit: 2 })).to.equal(null);
      expect(await ledger.listMarkedBetween({ ...range, from: "e5", to: "e9" })).to.deep.equal([]);
    });

    it("tells the last expiry among the tokens of a subject, marked or not", async () => {
      await record(
        { jti: "t1", expiresAtMs: 7_000 },
        { jti: "t2", expiresAtMs: 8_000, revokedBy: "e1" },
        { jti: "t3", expiresAtMs: 9_000, subject: "u2" },
      );

      expect(await ledger.lastExpiryMs("u1")).to.equal(8_000);
      expect(await ledger.lastExpiryMs("u3")).to.equal(null);
    });
  });
}

const ofSubject = (nowMs = 2_000): TokenSelection => ({ by: "epoch", subject: "u1", belowEpoch: 9, nowMs });
