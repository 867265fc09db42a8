import { expect } from "chai";
import { beforeEach, describe, it } from "mocha";
import type { AuditStore } from "../../../shared/ports/audit-store.ts";
import { expectNothing, kindsOf, seqsOf } from "./expectations.ts";
import { type AuditWorld, createAuditWorld } from "./world.ts";

describe("the audit recorder", () => {
  let world: AuditWorld;
  beforeEach(() => {
    world = createAuditWorld();
  });

  it("writes what it is given in the background, as one chain from 1", async () => {
    const recorder = world.startRecorder();
    recorder.record({ action: "user.created", subject: "u1", actor: "a1", requestId: "r1" });
    recorder.record({ action: "user.deactivated", subject: "u1", eventId: "e1", reason: "left" });
    expectNothing(await world.records());

    await world.platform.advance(1_000);
    const records = await world.records();
    expect(records.map(({ action, seq }) => `${seq} ${action}`)).to.deep.equal([
      "1 user.created",
      "2 user.deactivated",
    ]);
    expect(records[0]).to.include({ actor: "a1", requestId: "r1", eventId: null, count: 1, instance: "i1" });
    expect(await world.findings()).to.deep.equal([]);
  });

  it("notes the chain in the register before its first record, its head after it, and its end", async () => {
    const recorder = world.startRecorder();
    recorder.record({ action: "user.created" });
    await world.platform.advance(1_000);
    expect(await kindsOf(world)).to.deep.equal(["started 0", "head 1"]);

    recorder.record({ action: "user.deleted" });
    await recorder.close();
    expect(await kindsOf(world)).to.deep.equal(["started 0", "head 1", "ended 2"]);
    expect(await world.findings()).to.deep.equal([]);
  });

  it("notes the head again every few minutes, also when nothing more is recorded", async () => {
    const recorder = world.startRecorder();
    recorder.record({ action: "user.created" });
    await world.platform.advance(1_000);
    recorder.record({ action: "user.created" });
    await world.platform.advance(6 * 60_000);

    expect(await kindsOf(world)).to.deep.equal(["started 0", "head 1", "head 2"]);
    await world.platform.advance(60 * 60_000);
    expect(await kindsOf(world)).to.have.lengthOf(3);
  });

  it("leaves no trace of a process that decided nothing", async () => {
    await world.startRecorder().close();
    expectNothing(await world.store.listRegister({ limit: 5 }));
  });

  it("keeps what it is given while the database is away, and writes it once", async () => {
    const recorder = world.startRecorder();
    world.server.setAvailable(false);
    for (const subject of ["u1", "u2"]) recorder.record({ action: "user.created", subject });
    await world.platform.advance(10_000);
    world.server.setAvailable(true);
    await world.platform.advance(60_000);

    expect((await world.records()).map(({ subject }) => subject)).to.deep.equal(["u1", "u2"]);
    expect(await world.findings()).to.deep.equal([]);
  });

  it("writes a batch again as it was when its answer was lost", async () => {
    let losses = 1;
    const append: AuditStore["append"] = async (records) => {
      await world.store.append(records);
      if (losses-- > 0) throw new Error("the answer was lost");
    };
    const recorder = world.startRecorder({ store: { ...world.store, append } });
    recorder.record({ action: "user.created" });
    await world.platform.advance(300);
    recorder.record({ action: "user.deleted" });
    await world.platform.advance(60_000);

    expect(seqsOf(await world.records())).to.deep.equal([1, 2]);
    expect(await world.findings()).to.deep.equal([]);
  });

  it("counts what it cannot hold, and records the gap where it is", async () => {
    const recorder = world.startRecorder({ maxWaiting: 3 });
    for (let index = 0; index < 10; index += 1)
      recorder.record({ action: "token.refused", object: `${index}` });
    await world.platform.advance(1_000);
    recorder.record({ action: "token.refused", object: "later" });
    await world.platform.advance(1_000);

    const told = (await world.records()).map(({ action, object, count }) => `${action} ${object ?? count}`);
    expect(told.slice(2)).to.deep.equal(["token.refused 2", "audit.gap 7", "token.refused later"]);
    expect(await world.metrics.text()).to.include("audit_dropped_total 7");
  });

  it("ends also when the database is away, and says how many it lost", async () => {
    const recorder = world.startRecorder();
    world.server.setAvailable(false);
    recorder.record({ action: "user.created" });

    await Promise.all([recorder.close(), recorder.close(), world.platform.advance(5_000)]);
    world.server.setAvailable(true);
    expectNothing(await world.records());
  });

  it("gives each process's life a chain of its own in the one register", async () => {
    const recorders = Array.from({ length: 5 }, () => world.startRecorder());
    for (const recorder of recorders) recorder.record({ action: "user.created" });
    await world.platform.advance(1_000);
    await Promise.all(recorders.map((recorder) => recorder.close()));

    expect(new Set((await world.records()).map(({ chain }) => chain))).to.have.property("size", 5);
    expect(await world.findings()).to.deep.equal([]);
  });

  it("keeps texts bounded and well-formed, so that they hash as they are stored", async () => {
    const recorder = world.startRecorder();
    recorder.record({ action: "user.created", reason: `\ud800${"x".repeat(5_000)}` });
    await world.platform.advance(1_000);

    const [record] = await world.records();
    expect(record?.reason)
      .to.have.lengthOf(1_024)
      .and.match(/^\ufffdx+$/);
  });
});
