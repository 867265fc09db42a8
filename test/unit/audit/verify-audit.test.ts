import { expect } from "chai";
import { beforeEach, describe, it } from "mocha";
import { linkEntry, linkRecord } from "../../../shared/audit/audit-chain.ts";
import { verifyAudit } from "../../../shared/audit/verify-audit.ts";
import type { AuditRecord, RegisterEntry } from "../../../shared/ports/audit-store.ts";
import { auditChain } from "../../support/audit-records.ts";
import { type AuditWorld, createAuditWorld, tampered } from "./world.ts";

type Tampering = Parameters<typeof tampered>[1];

describe("the audit's verification", () => {
  let world: AuditWorld;

  beforeEach(async () => {
    world = createAuditWorld();
    const recorder = world.startRecorder();
    for (const subject of ["u1", "u2", "u3", "u4"]) recorder.record({ action: "user.created", subject });
    await world.platform.advance(1_000);
    await recorder.close();
  });

  async function findingsAfter(tampering: Tampering): Promise<string[]> {
    const { findings } = await verifyAudit(tampered(world.store, tampering));
    return findings.map(
      ({ chain, place, detail }) => `${chain === "register" ? chain : "chain"} ${place} ${detail}`,
    );
  }

  const without = (at: number) => (records: AuditRecord[]) => records.filter(({ seq }) => seq !== at);
  const changing = (at: number) => (records: AuditRecord[]) =>
    records.map((record) => (record.seq === at ? { ...record, subject: "somebody" } : record));
  /** As somebody would who knows how the chain is made. */
  function rewrittenFrom(at: number) {
    return (records: AuditRecord[]) => {
      let previous = "";
      return records.map((record) => {
        const { hash: _, ...kept } = record;
        const changed = record.seq === at ? { ...kept, subject: "somebody" } : kept;
        const linked = record.seq <= at ? changed : { ...changed, previous };
        const written = record.seq < at ? record : linkRecord(linked);
        previous = written.hash;
        return written;
      });
    };
  }

  it("finds nothing where nothing was touched", async () => {
    const { findings, records, chains, open } = await verifyAudit(world.store);
    expect({ findings, records, chains, open }).to.deep.equal({
      findings: [],
      records: 4,
      chains: 1,
      open: 0,
    });
  });

  it("finds a record that was changed", async () => {
    expect(await findingsAfter({ records: changing(2) })).to.deep.equal(["chain 2 was changed"]);
  });

  it("finds a record that was changed together with every hash that follows", async () => {
    const found = await findingsAfter({ records: rewrittenFrom(2) });
    expect(found).to.deep.equal(["chain 4 was changed together with what comes before it"]);
  });

  for (const [what, at, found] of [
    ["the first record", 1, "chain 1 1 taken out"],
    ["one in the middle", 3, "chain 3 1 taken out"],
    ["the last one", 4, "chain 4 1 taken out, up to the last one noted"],
  ] as const) {
    it(`finds that ${what} was taken out`, async () => {
      expect(await findingsAfter({ records: without(at) })).to.deep.equal([found]);
    });
  }

  it("finds that a whole chain was taken out", async () => {
    const found = await findingsAfter({ records: () => [] });
    expect(found).to.deep.equal(["chain 1 4 taken out, up to the last one noted"]);
  });

  it("finds that a whole chain was taken out, and its entries in the register too", async () => {
    const other = world.startRecorder();
    other.record({ action: "user.deleted" });
    await other.close();
    const first = (await world.records())[0]?.chain ?? "";
    const register = await world.store.listRegister({ limit: 10 });
    const gone = register[0]?.chain ?? first;

    const found = await findingsAfter({
      records: (records) => records.filter(({ chain }) => chain !== gone),
      register: (entries) => entries.filter(({ chain }) => chain !== gone),
    });
    expect(found).to.deep.equal(["register 1 the first ones are taken out"]);
  });

  it("finds a record that was inserted behind the end, and a chain that was inserted", async () => {
    const [made] = auditChain("00000000-0000-4000-8000-000000000000", [{ action: "user.deleted" }]);
    const forge = (records: AuditRecord[]) => {
      const last = records.at(-1);
      if (!last || !made) throw new Error("nothing to forge");
      const { hash: previous, ...rest } = last;
      return [made, ...records, linkRecord({ ...rest, seq: last.seq + 1, previous })];
    };
    expect(await findingsAfter({ records: forge })).to.deep.equal([
      "chain 1 inserted: the register knows no such chain",
      "chain 5 inserted: the chain had ended",
    ]);
  });

  it("finds an entry of the register that was changed, one that was taken out, and one that was forged", async () => {
    const changed = (entries: RegisterEntry[]) =>
      entries.map((entry) => (entry.place === 2 ? { ...entry, seq: 9 } : entry));
    const lacking = (entries: RegisterEntry[]) => entries.filter(({ place }) => place !== 2);
    const forged = (entries: RegisterEntry[]) =>
      entries.map((entry) =>
        entry.place === 2 ? linkEntry({ ...entry, seq: 1 }, entries[0] ?? null) : entry,
      );

    expect(await findingsAfter({ register: changed })).to.include("register 2 was changed");
    expect(await findingsAfter({ register: lacking })).to.deep.equal(["register 2 1 taken out"]);
    expect(await findingsAfter({ register: forged })).to.include(
      "register 3 does not follow from the one before it",
    );
  });

  it("finds by an entry that was kept elsewhere that all was written anew, or its end cut off", async () => {
    const kept = await world.store.lastOfRegister();
    if (kept === null) throw new Error("the register is empty");
    expect(await world.findings(kept)).to.deep.equal([]);
    expect((await world.findings({ ...kept, hash: "0".repeat(64) }))[0]).to.match(
      /^register 3 is another one/,
    );
    expect((await world.findings({ ...kept, place: 9 }))[0]).to.match(/^register 9 is gone, and was there/);
  });

  it("finds nothing where processes write while it reads", async () => {
    const busy = world.startRecorder();
    const store = {
      ...world.store,
      listByChain: async (page: Parameters<typeof world.store.listByChain>[0]) => {
        if (page.after === undefined) {
          busy.record({ action: "user.created" });
          await world.platform.advance(1_000);
        }
        return world.store.listByChain(page);
      },
    };
    expect((await verifyAudit(store)).findings).to.deep.equal([]);
  });
});
