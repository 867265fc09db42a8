import { expect } from "chai";
import { Kafka, logLevel } from "kafkajs";
import { afterEach, beforeEach, it } from "mocha";
import type { QuashEvent } from "../../shared/events/event.ts";
import { ledgerIdOf } from "../../shared/events/event-id.ts";
import { pendingRowOfOwnEvent } from "../../shared/revocation/pending-row.ts";
import { changeOfOurs } from "../../shared/revocation/user-state.ts";
import { eventually } from "../support/eventually.ts";
import { createFleet } from "../support/fleet.ts";
import { deleteEvents } from "../support/kafka-retention.ts";
import { createRealWorkerWorld, type RealWorkerWorld } from "../support/real-worker-world.ts";
import { describeWithServices } from "../support/services.ts";
import { startTcpProxy } from "../support/tcp-proxy.ts";

const patience = { timeoutMs: 30_000, intervalMs: 100 };

describeWithServices("events on the real servers", ["mongo", "redis", "kafka"], (services) => {
  let world: RealWorkerWorld;

  beforeEach(async function () {
    this.timeout(30_000);
    world = await createRealWorkerWorld(services);
  });

  afterEach(async function () {
    this.timeout(60_000);
    await world.close();
  });

  const untilHandled = () => eventually(async () => expect(await world.lag()).to.equal(0), patience);

  async function metric(name: string): Promise<number> {
    const text = await world.metrics.text();
    return Number(new RegExp(`^${name} (\\d+)$`, "m").exec(text)?.[1]);
  }

  /** What the API does, its event handed over and then lost: with or without the row that waits for it. */
  async function deactivateAndLose(id: string, withRow: boolean): Promise<void> {
    const user = await world.database.users.findById(id);
    if (user === null) throw new Error("no such user");
    const { status, epoch, statusChangedAtMs, epochRaisedAtMs } = user;
    const from = { status, epoch, statusChangedAtMs, epochRaisedAtMs };
    const to = changeOfOurs(from, "user.deactivated", world.platform.clock.wallMs());
    if (to === null) throw new Error("nothing to change");
    await world.database.users.change(id, { from, to });
    const event = world.ownEvent("user.deactivated", id, { epoch: to.epoch });
    if (withRow) await world.database.ledger.insertPending([pendingRowOfOwnEvent(event)]);
    await world.publish(event);
  }

  it("make good what retention took while no worker ran, before what is behind it", async function () {
    this.timeout(60_000);
    await world.start();
    await eventually(
      () => world.publish(world.ownEvent("user.signed-out", "somebody", { epoch: 1 })),
      patience,
    );
    await untilHandled();
    await world.stopWorkers();
    const users = await Promise.all([world.addUser(), world.addUser()]);
    const tokens = await Promise.all(users.map(({ id }) => world.addToken(id)));
    for (const [n, { id }] of users.entries()) await deactivateAndLose(id, n === 0);
    await deleteEvents(services.kafkaBrokers, world.namespace);
    await world.start();
    await eventually(async () => {
      for (const { id } of users) expect(await world.epochOf(id)).to.equal(1);
    }, patience);
    await eventually(async () => {
      const revoked = await world.tokensRevoked();
      for (const jti of tokens) expect(revoked.has(world.fingerprintOf(jti))).to.equal(true);
    }, patience);
    const rows = await Promise.all(
      users.map(({ id }) => world.database.ledger.list({ subject: id, limit: 10 })),
    );
    expect(rows.map((each) => each.map(({ reason, epoch }) => ({ reason, epoch })))).to.deep.equal([
      [{ reason: null, epoch: 1 }],
      [{ reason: "reconciled", epoch: 1 }],
    ]);
    expect(await metric("revocation_events_possibly_lost_total")).to.equal(2);
    const behind = world.upstreamEvent("user.reactivated", users[0]?.id ?? "");
    await world.publish(behind);
    await eventually(async () => {
      const row = await world.database.ledger.find(ledgerIdOf(behind, world.namespace));
      expect(row?.appliedAtMs).to.be.a("number");
    }, patience);
    expect(await metric("revocation_events_possibly_lost_total")).to.equal(2);
  });

  it("revoke a user with 900 live tokens, every one of them", async function () {
    this.timeout(60_000);
    await world.start();
    const user = await world.addUser();
    const tokens: string[] = [];
    for (let n = 0; n < 9; n += 1) {
      tokens.push(...(await Promise.all(Array.from({ length: 100 }, () => world.addToken(user.id)))));
    }
    const event = world.upstreamEvent("user.deactivated", user.id);
    await eventually(() => world.publish(event), patience);
    await eventually(async () => {
      const row = await world.database.ledger.find(ledgerIdOf(event, world.namespace));
      expect(row).to.include({ epoch: 1, tokensRevoked: 900 });
    }, patience);
    const revoked = await world.tokensRevoked();
    expect(tokens.filter((jti) => !revoked.has(world.fingerprintOf(jti)))).to.deep.equal([]);
  });

  it("wait for a broker that is not there when the worker starts, and for topics that nobody has made", async function () {
    this.timeout(60_000);
    const [host = "", port = ""] = services.kafkaBrokers.split(",")[0]?.split(":") ?? [];
    const broker = await startTcpProxy({ host, port: Number(port) });
    try {
      broker.cut();
      const worker = await world.start(`127.0.0.1:${broker.port}`);
      const user = await world.addUser();
      const jti = await world.addToken(user.id);
      expect(worker.hasJoined()).to.equal(false);
      broker.restore();
      await eventually(() => expect(worker.hasJoined()).to.equal(true), patience);
      await world.publish(world.upstreamEvent("user.deactivated", user.id));
      await eventually(async () => expect(await world.epochOf(user.id)).to.equal(1), patience);
      await eventually(async () => {
        expect((await world.tokensRevoked()).has(world.fingerprintOf(jti))).to.equal(true);
      }, patience);
    } finally {
      await world.stopWorkers();
      await broker.close();
    }
  });

  it("are applied again after their topic was deleted while the worker ran", async function () {
    this.timeout(60_000);
    const worker = await world.start();
    await eventually(() => expect(worker.hasJoined()).to.equal(true), patience);
    await deleteTopic(services.kafkaBrokers, `${world.namespace}.user-events`);
    await eventually(() => expect(worker.hasJoined()).to.equal(false), patience);
    const user = await world.addUser();
    await eventually(() => world.publish(world.upstreamEvent("user.deactivated", user.id)), patience);
    await eventually(async () => expect(await world.epochOf(user.id)).to.equal(1), patience);
  });

  it("are lost by nobody, nor turned back, when a worker is suspended in the middle of a batch", async function () {
    this.timeout(90_000);
    await world.eventLog.ensureTopics();
    const fleet = await createFleet({ ...services, namespace: world.namespace });
    try {
      const zombie = await fleet.startWorker();
      const events: QuashEvent[] = Array.from({ length: 120 }, (_, n) =>
        world.ownEvent("user.signed-out", `subject-${n}`, { epoch: 1 }),
      );
      await world.publish(...events);
      await eventually(async () => expect((await world.epochsCutOff()).size).to.be.above(0), {
        ...patience,
        intervalMs: 10,
      });
      zombie.child.kill("SIGSTOP");
      expect(await world.lag(), "it is in the middle of it").to.be.above(0);
      await world.start();
      await untilHandled();
      const after = Array.from({ length: 10 }, (_, n) =>
        world.ownEvent("user.signed-out", `subject-${n}`, { epoch: 2 }),
      );
      await world.publish(...after);
      await untilHandled();
      zombie.child.kill("SIGCONT");
      await eventually(async () => {
        const { status } = await fetch(`${zombie.healthUrl}/readyz`, { signal: AbortSignal.timeout(1_000) });
        expect(status).to.equal(200);
      }, patience);
      await untilHandled();
      const epochs = await world.epochsCutOff();
      const wrong = events.filter(
        ({ subject = "" }, n) => epochs.get(world.fingerprintOf(subject)) !== (n < 10 ? 2 : 1),
      );
      expect(wrong).to.deep.equal([]);
      expect(await metric("revocation_events_possibly_lost_total")).to.equal(0);
    } finally {
      await fleet.close();
    }
  });
});

async function deleteTopic(kafkaBrokers: string, topic: string): Promise<void> {
  const admin = new Kafka({ brokers: kafkaBrokers.split(","), logLevel: logLevel.NOTHING }).admin();
  await admin.connect();
  await admin.deleteTopics({ topics: [topic] });
  await admin.disconnect();
}
