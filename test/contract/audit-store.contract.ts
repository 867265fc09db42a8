import { expect } from "chai";
import { beforeEach, describe, it } from "mocha";
import { linkEntry, noHash } from "../../shared/audit/audit-chain.ts";
import type { AuditQuery, AuditStore, RegisterEntry } from "../../shared/ports/audit-store.ts";
import { auditChain } from "../support/audit-records.ts";
import type { Databases } from "./database.contract.ts";

const [one, other] = ["11111111-0000-4000-8000-000000000000", "22222222-0000-4000-8000-000000000000"];
const placeOf = ({ chain, seq }: { chain: string; seq: number }) => `${chain[0]}.${seq}`;

export function auditStoreContract(databases: () => Databases): void {
  describe("audit", () => {
    let audit: AuditStore;
    let elsewhere: AuditStore;

    beforeEach(() => {
      audit = databases().one.audit;
      elsewhere = databases().other.audit;
    });

    async function found(query: Omit<AuditQuery, "limit">): Promise<string[]> {
      return (await elsewhere.list({ limit: 10, ...query })).map(placeOf);
    }

    it("gives back what was appended, member for member", async () => {
      const whole = {
        action: "revocation.applied",
        actor: "a1",
        subject: "u1",
        object: "j1",
        reason: "left — \u{1f44b}",
        requestId: "r1",
        eventId: "e1",
        eventType: "user.deactivated",
        count: 7,
      } as const;
      const records = auditChain(one, [whole, { action: "sign-in.failed" }]);

      await audit.append(records);
      expect(await elsewhere.listByChain({ limit: 10 })).to.deep.equal(records);
    });

    it("never overwrites, however often the same place is appended", async () => {
      const [first] = auditChain(one, [{ action: "user.created", subject: "u1" }]);
      const [forged] = auditChain(one, [{ action: "user.created", subject: "u2" }]);
      await audit.append(first ? [first] : []);

      await Promise.all([elsewhere.append(forged ? [forged] : []), audit.append(first ? [first] : [])]);
      expect(await audit.listByChain({ limit: 10 })).to.deep.equal([first]);
    });

    it("lists the newest first, over all chains, page by page", async () => {
      await audit.append(auditChain(one, [{ action: "user.created" }, { action: "user.deleted" }], 1_000));
      await audit.append(auditChain(other, [{ action: "user.created" }, { action: "user.deleted" }], 1_001));

      expect(await found({})).to.deep.equal(["2.2", "2.1", "1.2", "1.1"]);
      const first = await audit.list({ limit: 2 });
      const after = first.at(-1);
      expect(await found({ ...(after && { after }) })).to.deep.equal(["1.2", "1.1"]);
    });

    it("filters by actor, subject, action, event and time, and by several of them", async () => {
      const requests = [
        { action: "user.deactivated", actor: "a1", subject: "u1", eventId: "e1" },
        { action: "user.deactivated", actor: "a1", subject: "u2", eventId: "e2" },
        { action: "token.refused", subject: "u1" },
      ] as const;
      await audit.append(auditChain(one, requests));

      expect(await found({ actor: "a1" })).to.deep.equal(["1.2", "1.1"]);
      expect(await found({ subject: "u1" })).to.deep.equal(["1.3", "1.1"]);
      expect(await found({ action: "token.refused" })).to.deep.equal(["1.3"]);
      expect(await found({ eventId: "e2" })).to.deep.equal(["1.2"]);
      expect(await found({ fromMs: 1_001 })).to.deep.equal(["1.3", "1.2"]);
      expect(await found({ fromMs: 1_001, toMs: 1_002 })).to.deep.equal(["1.2"]);
      expect(await found({ actor: "a1", subject: "u1", toMs: 1_001 })).to.deep.equal(["1.1"]);
      expect(await found({ actor: "nobody" })).to.deep.equal([]);
    });

    it("walks every chain in the order of its records, page by page", async () => {
      await audit.append(auditChain(other, [{ action: "user.created" }, { action: "user.deleted" }]));
      await audit.append(
        auditChain(
          one,
          Array.from({ length: 11 }, () => ({ action: "user.created" })),
        ),
      );

      const first = await elsewhere.listByChain({ limit: 10 });
      const after = first.at(-1);
      const rest = await elsewhere.listByChain({ limit: 10, ...(after && { after }) });
      expect(first.map(placeOf)).to.deep.equal(Array.from({ length: 10 }, (_, index) => `1.${index + 1}`));
      expect(rest.map(placeOf)).to.deep.equal(["1.11", "2.1", "2.2"]);
    });

    it("removes a chain's first records in steps, and nothing else", async () => {
      const three = [
        { action: "user.created" },
        { action: "user.created" },
        { action: "user.deleted" },
      ] as const;
      await audit.append([...auditChain(one, three), ...auditChain(other, three)]);

      expect(await elsewhere.removeBelow({ chain: one, seq: 3 }, 1)).to.equal(1);
      const left = (await audit.listByChain({ limit: 10 })).map(placeOf);
      expect(left.join(" ")).to.equal("1.2 1.3 2.1 2.2 2.3");
      expect(await elsewhere.removeBelow({ chain: one, seq: 3 }, 5)).to.equal(1);
      expect(await elsewhere.removeBelow({ chain: one, seq: 3 }, 5)).to.equal(0);
      expect(await audit.listByChain({ limit: 10 })).to.have.lengthOf(4);
    });

    function entryAfter(last: RegisterEntry | null, kind: RegisterEntry["kind"]): RegisterEntry {
      return linkEntry(
        { kind, chain: kind === "register-pruned" ? "" : one, seq: 4, recordHash: noHash, atMs: 5 },
        last,
      );
    }

    it("lets one of many entries have a place in the register", async () => {
      expect(await audit.lastOfRegister()).to.equal(null);
      const first = entryAfter(null, "started");
      const answers = await Promise.all(
        [audit, elsewhere, audit, elsewhere].map((store) => store.appendToRegister(first)),
      );

      expect(answers.filter(Boolean)).to.have.lengthOf(1);
      expect(await elsewhere.lastOfRegister()).to.deep.equal(first);
    });

    it("lists the register in its order, and removes its first entries", async () => {
      const first = entryAfter(null, "started");
      const second = entryAfter(first, "head");
      const third = entryAfter(second, "register-pruned");
      for (const entry of [first, second, third]) await audit.appendToRegister(entry);

      expect(await elsewhere.listRegister({ limit: 10 })).to.deep.equal([first, second, third]);
      expect(await elsewhere.listRegister({ after: 1, limit: 1 })).to.deep.equal([second]);
      expect(await elsewhere.removeFromRegister(3, 1)).to.equal(1);
      expect(await elsewhere.removeFromRegister(3, 5)).to.equal(1);
      expect(await audit.listRegister({ limit: 10 })).to.deep.equal([third]);
    });
  });
}
