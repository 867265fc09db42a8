import { expect } from "chai";
import { beforeEach, describe, it } from "mocha";
import type { NewSession, SessionStore, TokenRecord } from "../../shared/ports/session-store.ts";
import type { Databases } from "./database.contract.ts";

const session: NewSession = {
  sid: "s1",
  subject: "u1",
  epoch: 3,
  refreshHash: "hash-1",
  createdAtMs: 1_000,
  expiresAtMs: 9_000,
};

export function aToken(changed: Partial<TokenRecord> = {}): TokenRecord {
  return {
    jti: "t1",
    subject: "u1",
    sid: "s1",
    epoch: 0,
    issuedAtMs: 1_000,
    expiresAtMs: 9_000,
    revokedBy: null,
    ...changed,
  };
}

export function sessionStoreContract(databases: () => Databases): void {
  describe("sessions", () => {
    let sessions: SessionStore;
    let elsewhere: SessionStore;

    beforeEach(() => {
      sessions = databases().one.sessions;
      elsewhere = databases().other.sessions;
    });

    it("finds a session as it was created, on every connection", async () => {
      await sessions.createSession(session);

      const expected = { ...session, lastUsedAtMs: 1_000, endedAtMs: null };
      expect(await elsewhere.findSession("s1")).to.deep.equal(expected);
      expect(await sessions.findSession("s2")).to.equal(null);
    });

    it("rotates a refresh token, and only from the hash that stands", async () => {
      await sessions.createSession(session);

      const rotated = await sessions.rotate("s1", { fromHash: "hash-1", toHash: "hash-2", usedAtMs: 2_000 });
      expect(rotated).to.include({ sid: "s1", refreshHash: "hash-2", lastUsedAtMs: 2_000, epoch: 3 });
      expect(await sessions.rotate("s1", { fromHash: "hash-1", toHash: "x", usedAtMs: 3_000 })).to.equal(
        null,
      );
      expect(await sessions.rotate("s2", { fromHash: "hash-2", toHash: "x", usedAtMs: 3_000 })).to.equal(
        null,
      );
      expect(await elsewhere.findSession("s1")).to.deep.equal(rotated);
    });

    it("lets one of many rotations from the same hash through", async () => {
      await sessions.createSession(session);

      const rotations = Array.from({ length: 10 }, (_, index) =>
        (index % 2 === 0 ? sessions : elsewhere).rotate("s1", {
          fromHash: "hash-1",
          toHash: `next-${index}`,
          usedAtMs: 2_000,
        }),
      );
      const through = (await Promise.all(rotations)).filter((rotated) => rotated !== null);
      expect(through).to.have.lengthOf(1);
      expect(await sessions.findSession("s1")).to.deep.equal(through[0]);
    });

    it("keeps where a session was used from last", async () => {
      const phone = { address: "192.0.2.1", agent: "phone" };
      await sessions.createSession({ ...session, client: phone });
      expect(await elsewhere.findSession("s1")).to.deep.include({ client: phone });

      const rotation = { fromHash: "hash-1", toHash: "hash-2", usedAtMs: 2_000 };
      expect(await sessions.rotate("s1", rotation)).to.deep.include({ client: phone });
      const desk = { address: "2001:db8::1" };
      await sessions.rotate("s1", { ...rotation, fromHash: "hash-2", toHash: "hash-3", client: desk });
      expect((await elsewhere.findSession("s1"))?.client).to.deep.equal(desk);
    });

    it("keeps the answer of the last rotation only, with the hash that it spent", async () => {
      await sessions.createSession(session);
      const rotate = (from: number, sealedAnswer?: string) =>
        sessions.rotate("s1", {
          fromHash: `hash-${from}`,
          toHash: `hash-${from + 1}`,
          usedAtMs: 2_000,
          ...(sealedAnswer !== undefined && { sealedAnswer }),
        });

      expect((await rotate(1, "first"))?.answer).to.deep.equal({ spentHash: "hash-1", sealed: "first" });
      await rotate(2, "second");
      const answer = { spentHash: "hash-2", sealed: "second" };
      expect((await elsewhere.findSession("s1"))?.answer).to.deep.equal(answer);
      expect(await rotate(1, "late")).to.equal(null);
      expect((await elsewhere.findSession("s1"))?.answer).to.deep.equal(answer);
      expect(await rotate(3)).to.not.have.property("answer");
      expect(await elsewhere.findSession("s1")).to.not.have.property("answer");
    });

    it("lists the live sessions of a subject, the newest first, page by page", async () => {
      const live = { fromEpoch: 3, expiresAfterMs: 5_000, usedAfterMs: 900 };
      const made: Record<string, Partial<NewSession>> = {
        s1: {},
        s2: { createdAtMs: 3_000 },
        s3: { createdAtMs: 3_000 },
        s4: { createdAtMs: 2_000 },
        ended: {},
        other: { subject: "u2" },
        older: { epoch: 2 },
        expired: { expiresAtMs: 5_000 },
        idle: { createdAtMs: 900 },
      };
      for (const [sid, changed] of Object.entries(made)) {
        await sessions.createSession({ ...session, ...changed, sid });
      }
      await sessions.endSession("ended", 4_000);
      const list = async (limit: number, after?: { sid: string; createdAtMs: number }) => {
        const page = { subject: "u1", live, limit, ...(after && { after }) };
        return (await elsewhere.listSessions(page)).map(({ sid }) => sid);
      };

      expect(await list(9)).to.deep.equal(["s3", "s2", "s4", "s1"]);
      expect(await list(2)).to.deep.equal(["s3", "s2"]);
      expect(await list(2, { sid: "s3", createdAtMs: 3_000 })).to.deep.equal(["s2", "s4"]);
      expect(await list(9, { sid: "s1", createdAtMs: 1_000 })).to.deep.equal([]);
    });

    it("ends a session once: the first time stays, and it rotates no more", async () => {
      await sessions.createSession(session);

      expect(await sessions.endSession("s1", 5_000)).to.equal(true);
      expect(await elsewhere.endSession("s1", 4_000)).to.equal(true);
      expect(await sessions.findSession("s1")).to.include({ endedAtMs: 5_000, refreshHash: "hash-1" });
      const rotation = { fromHash: "hash-1", toHash: "hash-2", usedAtMs: 6_000 };
      expect(await sessions.rotate("s1", rotation)).to.equal(null);
    });

    it("says when there is no session to end", async () => {
      expect(await sessions.endSession("nobody", 5_000)).to.equal(false);
    });

    it("ends the sessions of a subject that were created by a time, and no others", async () => {
      const sids = { s1: 2_000, s2: 1_999, s3: 2_001, s4: 1_000 };
      for (const [sid, createdAtMs] of Object.entries(sids)) {
        await sessions.createSession({ ...session, sid, createdAtMs });
      }
      await sessions.createSession({ ...session, sid: "other", subject: "u2" });
      await sessions.endSession("s4", 4_000);

      await elsewhere.endSessionsCreatedBy("u1", 2_000, 5_000);
      const ended = [];
      for (const sid of ["s1", "s2", "s3", "s4", "other"]) {
        ended.push((await sessions.findSession(sid))?.endedAtMs);
      }
      expect(ended).to.deep.equal([5_000, 5_000, null, 4_000, null]);
    });

    it("records a token", async () => {
      await sessions.recordToken(aToken({ epoch: 4 }));
      await sessions.recordToken(aToken({ jti: "t2", revokedBy: "e1" }));

      expect(await elsewhere.findToken("t1")).to.deep.equal(aToken({ epoch: 4 }));
      expect(await elsewhere.findToken("t2")).to.deep.equal(aToken({ jti: "t2", revokedBy: "e1" }));
      expect(await elsewhere.findToken("t3")).to.equal(null);
      const both = await elsewhere.findTokens(["t2", "t3", "t1"]);
      expect(both.map(({ jti }) => jti).toSorted()).to.deep.equal(["t1", "t2"]);
    });

    it("keeps which key signed a token, also once it is marked", async () => {
      const key = { kid: "one", alg: "ES256", thumbprint: "oKIywvGUpTVTyxMQ3bwIIeQUudfr_CkLMjCE19ECD-U" };
      await sessions.recordToken(aToken({ key }));
      await databases().one.ledger.markTokens("e1", { by: "jti", jti: "t1", nowMs: 2_000 }, 5);

      expect(await elsewhere.findToken("t1")).to.deep.equal(aToken({ key, revokedBy: "e1" }));
    });

    it("purges expired tokens, at most as many as it was told", async () => {
      for (const [index, expiresAtMs] of [1_000, 2_000, 2_999, 3_000].entries()) {
        await sessions.recordToken(aToken({ jti: `t${index}`, expiresAtMs }));
      }

      expect(await sessions.purgeTokens(3_000, 2)).to.equal(2);
      expect(await sessions.purgeTokens(3_000, 2)).to.equal(1);
      expect(await sessions.purgeTokens(3_000, 2)).to.equal(0);
      expect(await sessions.findToken("t3")).to.include({ expiresAtMs: 3_000 });
    });

    it("purges expired sessions, at most as many as it was told", async () => {
      for (const [index, expiresAtMs] of [1_000, 2_000, 2_999, 3_000].entries()) {
        await sessions.createSession({ ...session, sid: `s${index}`, expiresAtMs });
      }

      expect(await sessions.purgeSessions(3_000, 2)).to.equal(2);
      expect(await sessions.purgeSessions(3_000, 2)).to.equal(1);
      expect(await sessions.purgeSessions(3_000, 2)).to.equal(0);
      expect(await sessions.findSession("s3")).to.include({ expiresAtMs: 3_000 });
    });
  });
}
