import { expect } from "chai";
import { beforeEach, describe, it } from "mocha";
import { appendToRegister } from "../../../shared/audit/append-to-register.ts";
import { linkEntry, linkRecord } from "../../../shared/audit/audit-chain.ts";
import { type KnownAudit, type KnownEntry, verifyAudit } from "../../../shared/audit/verify-audit.ts";
import type { AuditRecord, RegisterEntry } from "../../../shared/ports/audit-store.ts";
import { auditChain } from "../../support/audit-records.ts";
import { type AuditWorld, createAuditWorld, type Tampering } from "./world.ts";

const dayMs = 86_400_000;

describe("the audit's verification", () => {
  let world: AuditWorld;

  beforeEach(async () => {
    world = createAuditWorld();
    const recorder = world.startRecorder();
    for (const subject of ["u1", "u2", "u3", "u4"]) recorder.record({ action: "user.created", subject });
    await world.platform.advance(1_000);
    await recorder.close();
  });

  const findingsAfter = (tampering: Tampering) => world.findings({}, tampering);

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
    const { findings, records, chains, open } = await world.verify();
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
    const findingsBy = (entry: KnownEntry) => world.findings({ known: { register: [entry], records: [] } });
    expect(await findingsBy(kept)).to.deep.equal([]);
    expect((await findingsBy({ ...kept, hash: "0".repeat(64) }))[0]).to.match(/^register 3 is another one/);
    expect((await findingsBy({ ...kept, place: 9 }))[0]).to.match(/^register 9 is gone, and was there/);
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
    const options = { nowMs: world.platform.clock.wallMs(), retentionMs: 0 };
    expect((await verifyAudit(store, options)).findings).to.deep.equal([]);
  });

  async function forgePruning(seq: number, atMs: number): Promise<void> {
    const record = (await world.records()).find((one) => one.seq === seq);
    if (record === undefined) throw new Error("no such record");
    const { chain, hash: recordHash } = record;
    await appendToRegister(world.store, { kind: "pruned", chain, seq: seq + 1, recordHash, atMs });
    await world.store.removeBelow({ chain, seq: seq + 1 }, 100);
  }

  for (const [when, aheadMs] of [
    ["dated as it was made", 0],
    ["dated so far ahead that all would be old enough", 400 * dayMs],
  ] as const) {
    it(`finds a chain that was taken out by a note of pruning, ${when}`, async () => {
      const { known } = await world.verify();
      await world.platform.advance(60_000);
      await forgePruning(4, world.platform.clock.wallMs() + aheadMs);

      expect(await world.findings({ known })).to.deep.equal([
        "chain 4 was not old enough to be pruned, as entry 4 of the register says",
      ]);
    });
  }

  it("finds nothing in a note of pruning that came when the retention was over", async () => {
    await forgePruning(4, world.platform.clock.wallMs() + 366 * dayMs);
    expect(await world.findings({ nowMs: world.platform.clock.wallMs() + 367 * dayMs })).to.deep.equal([]);
  });

  it("finds that the entry of the register was taken out which comes before a chain", async () => {
    const [second] = (await world.store.listRegister({ limit: 2 })).slice(1);
    if (second === undefined) throw new Error("the register is too short");
    await appendToRegister(world.store, {
      kind: "register-pruned",
      chain: "",
      seq: 2,
      recordHash: second.previous,
      atMs: world.platform.clock.wallMs(),
    });
    await world.store.removeFromRegister(2, 10);

    expect(await world.findings()).to.deep.equal([
      "chain 1 is there, and the entry of the register that comes before it was taken out",
    ]);
  });

  describe("of a chain that has no end", () => {
    let known: KnownAudit;
    /** Of the chain that has no end: its second record is in no head yet. */
    let last: AuditRecord;

    beforeEach(async () => {
      const running = world.startRecorder();
      for (const subject of ["u5", "u6"]) {
        running.record({ action: "user.created", subject });
        await world.platform.advance(1_000);
      }
      ({ known } = await world.verify());
      last = only((await world.records()).filter(({ subject }) => subject === "u6"));
    });

    it("gives its last record among what is to be kept", () => {
      const { chain, seq, hash } = last;
      expect(known.records).to.deep.equal([{ chain, seq, hash }]);
    });

    it("finds nothing where it went on", async () => {
      const { hash: previous, ...rest } = last;
      await world.store.append([linkRecord({ ...rest, seq: last.seq + 1, previous })]);
      expect(await world.findings({ known })).to.deep.equal([]);
    });

    it("finds by what was kept that another record stands in the place of the last one", async () => {
      const { hash: _, ...rest } = last;
      const forged = linkRecord({ ...rest, actor: "somebody" });
      const records = (all: AuditRecord[]) => all.map((one) => (one.hash === last.hash ? forged : one));

      expect(await world.findings({}, { records })).to.deep.equal([]);
      expect(await world.findings({ known }, { records })).to.deep.equal([
        "chain 2 was changed together with what comes before it",
      ]);
    });

    it("finds by what was kept that the last record was taken out", async () => {
      const records = (all: AuditRecord[]) => all.filter(({ hash }) => hash !== last.hash);

      expect(await world.findings({}, { records })).to.deep.equal([]);
      expect(await world.findings({ known }, { records })).to.deep.equal([
        "chain 2 1 taken out, up to the last one noted",
      ]);
    });

    it("finds by what was kept that the whole of it is gone, with its entries in the register", async () => {
      const isElsewhere = ({ chain }: { readonly chain: string }) => chain !== last.chain;
      const tampering: Tampering = {
        records: (all) => all.filter(isElsewhere),
        register: (all) => all.filter(isElsewhere),
      };

      expect(await world.findings({}, tampering)).to.deep.equal([]);
      expect(await world.findings({ known }, tampering)).to.include(
        "chain 2 was there, and the register knows no such chain any more, or it was pruned",
      );
    });
  });
});

function only<T>(found: readonly T[]): T {
  const [one, ...more] = found;
  if (one === undefined || more.length > 0) throw new Error(`${found.length} found in place of one`);
  return one;
}
