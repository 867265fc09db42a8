import { expect } from "chai";
import { beforeEach, describe, it } from "mocha";
import { pruneAudit } from "../../../shared/audit/prune-audit.ts";
import type { AuditStore } from "../../../shared/ports/audit-store.ts";
import { expectNothing, kindsOf, seqsOf } from "./expectations.ts";
import { type AuditWorld, createAuditWorld } from "./world.ts";

const hourMs = 3_600_000;

describe("the audit's pruning", () => {
  let world: AuditWorld;
  beforeEach(() => {
    world = createAuditWorld();
  });

  async function recordHourly(count: number): Promise<void> {
    const recorder = world.startRecorder();
    for (let index = 0; index < count; index += 1) {
      recorder.record({ action: "user.created", object: `${index}` });
      await world.platform.advance(hourMs);
    }
  }

  function prune(ageMs: number, store: AuditStore = world.store): Promise<number> {
    const nowMs = world.platform.clock.wallMs();
    return pruneAudit(store, { beforeMs: nowMs - ageMs, nowMs, signal: new AbortController().signal });
  }

  it("takes what is older, and what remains is found whole", async () => {
    await recordHourly(5);

    expect(await prune(2.5 * hourMs)).to.equal(3);
    expect(seqsOf(await world.records())).to.deep.equal([4, 5]);
    expect(await world.findings()).to.deep.equal([]);
  });

  it("takes a whole chain, then its entries in the register, and all is found whole", async () => {
    await recordHourly(3);

    await prune(0);
    expectNothing(await world.records());
    expect(await world.findings()).to.deep.equal([]);
    await world.platform.advance(hourMs);
    await prune(0);
    expect((await kindsOf(world)).map((kind) => kind.split(" ")[0])).to.deep.equal(["register-pruned"]);
    expect(await world.findings()).to.deep.equal([]);
  });

  it("takes nothing, and notes nothing, while all is young", async () => {
    await recordHourly(2);
    const before = await kindsOf(world);

    expect(await prune(100 * hourMs)).to.equal(0);
    expect(await kindsOf(world)).to.deep.equal(before);
  });

  it("leaves what is found whole when it dies between its note and the last removal", async () => {
    await recordHourly(5);
    let removals = 1;
    const dying: AuditStore = {
      ...world.store,
      removeBelow: (place) => {
        if (removals-- > 0) return world.store.removeBelow(place, 1).then(() => 1_000);
        throw new Error("killed");
      },
    };

    await prune(2.5 * hourMs, dying).catch(() => undefined);
    expect(seqsOf(await world.records())).to.deep.equal([2, 3, 4, 5]);
    expect(await world.findings({ retentionMs: 2.5 * hourMs })).to.deep.equal([]);
    await Promise.all([prune(2.5 * hourMs), prune(2.5 * hourMs)]);
    expect(seqsOf(await world.records())).to.deep.equal([4, 5]);
    expect(await world.findings({ retentionMs: 2.5 * hourMs })).to.deep.equal([]);
  });

  it("does not hide that more was taken out than it took", async () => {
    await recordHourly(5);
    await prune(2.5 * hourMs);
    const chain = (await world.records())[0]?.chain ?? "";

    await world.store.removeBelow({ chain, seq: 5 }, 10);
    expect(await world.findings()).to.deep.equal(["chain 4 1 taken out"]);
  });
});
