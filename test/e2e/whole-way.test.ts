import { randomUUID } from "node:crypto";
import { expect } from "chai";
import { after, before, it } from "mocha";
import { type Answer, type Client, createClient } from "../support/client.ts";
import { eventually } from "../support/eventually.ts";
import { createFleet, type Fleet, type WorkerProcess } from "../support/fleet.ts";
import { describeWithServices, freshNamespace } from "../support/services.ts";
import { startTcpProxy, type TcpProxy } from "../support/tcp-proxy.ts";
import { connectUpstream, type Upstream } from "../support/upstream.ts";

const password = "a perfectly fine password";

describeWithServices("the whole way of a revocation", ["mongo", "redis", "kafka"], (services) => {
  const namespace = freshNamespace();
  let fleet: Fleet;
  let workerFleet: Fleet;
  let worker: WorkerProcess;
  let mongoLink: TcpProxy;
  let apis: Client[];
  let api: Client;
  let upstream: Upstream;
  let adminToken: string;

  before(async function () {
    this.timeout(60_000);
    const mongo = new URL(services.mongoUrl);
    mongoLink = await startTcpProxy({ host: mongo.hostname, port: Number(mongo.port) });
    mongo.hostname = "127.0.0.1";
    mongo.port = String(mongoLink.port);
    fleet = await createFleet({ ...services, namespace });
    workerFleet = await createFleet({ ...services, namespace, mongoUrl: mongo.href });
    const [one, two, started] = await Promise.all([
      fleet.startApi(),
      fleet.startApi(),
      workerFleet.startWorker(),
    ]);
    worker = started;
    api = createClient(one.url);
    apis = [api, createClient(two.url)];
    upstream = await connectUpstream(services.kafkaBrokers, namespace);
    adminToken = await api.signIn();
  });

  after(async function () {
    this.timeout(30_000);
    await upstream?.close();
    await fleet?.close();
    await workerFleet?.close();
    await mongoLink?.close();
  });

  async function createPerson(user: Record<string, unknown> = {}) {
    const email = `${randomUUID()}@example.com`;
    const id = await api.createUser(adminToken, { email, password, ...user });
    return { id, email, token: await api.signIn(email, password) };
  }

  const statuses = (token: string) => Promise.all(apis.map((one) => one.statusOf(token)));
  const admin = (path: string, method = "POST"): Promise<Answer> =>
    api.call(path, { method, token: adminToken });
  const untilRefusedEverywhere = (token: string) =>
    eventually(async () => expect(await statuses(token)).to.deep.equal([401, 401]), { timeoutMs: 10_000 });

  async function receiptsOf(subject: string): Promise<Record<string, unknown>[]> {
    const { body } = await admin(`/revocations?subject=${subject}`, "GET");
    return Array.isArray(body["items"]) ? body["items"] : [];
  }

  /** Everything published before it has been handled, as far as its partition goes. */
  async function untilPartitionIsHandled(subject: string): Promise<void> {
    const marker = await upstream.publish({
      type: "user.reactivated",
      subject,
      time: "2020-01-01T00:00:00Z",
    });
    await eventually(
      async () => {
        const receipts = await receiptsOf(subject);
        const handled = receipts.some((r) => r["source_event_id"] === marker && r["status"] !== "pending");
        expect(handled, "the marker was handled").to.equal(true);
      },
      { timeoutMs: 10_000 },
    );
  }

  it("refuses a deactivated user on every instance, and proves it", async () => {
    const alice = await createPerson();
    expect(await statuses(alice.token)).to.deep.equal([200, 200]);

    const receipt = await admin(`/users/${alice.id}/deactivate?wait=enforced&timeout_ms=10000`);

    expect(receipt.status, JSON.stringify(receipt.body)).to.equal(200);
    expect(receipt.body).to.include({ status: "enforced", subject: alice.id, tokens_revoked: 1 });
    expect(receipt.body["instances"]).to.have.length(2);
    expect(await statuses(alice.token)).to.deep.equal([401, 401]);
    const again = await admin(`/users/${alice.id}/deactivate`);
    expect([again.status, again.body["event_id"]]).to.deep.equal([200, receipt.body["event_id"]]);
    const read = await admin(`/revocations/${String(receipt.body["event_id"])}`, "GET");
    expect(read.body).to.deep.include({ status: "enforced", event_id: receipt.body["event_id"] });
  });

  it("obeys an upstream system as it does a caller", async () => {
    const bob = await createPerson();
    const eventId = await upstream.publish({
      type: "user.deactivated",
      subject: bob.id,
      data: { reason: "left" },
    });
    await untilRefusedEverywhere(bob.token);

    expect((await admin(`/users/${bob.id}`, "GET")).body).to.include({ status: "deactivated", epoch: 1 });
    const [receipt] = await receiptsOf(bob.id);
    expect(receipt).to.include({ source: "/hr", source_event_id: eventId, reason: "left" });
  });

  it("obeys an event in binary mode about an external identity", async () => {
    const external = { iss: "https://idp.example.com", sub: randomUUID() };
    const carol = await createPerson({ external_ids: [external] });
    await upstream.publishBinary({ type: "user.signed-out", data: { external } });
    await untilRefusedEverywhere(carol.token);

    expect(await statuses(await api.signIn(carol.email, password))).to.deep.equal([200, 200]);
  });

  it("lets a reactivated user sign in, and an old event sent again changes nothing", async () => {
    const dave = await createPerson();
    const event = {
      type: "user.deactivated",
      subject: dave.id,
      id: randomUUID(),
      time: new Date().toISOString(),
    };
    await upstream.publish(event);
    await untilRefusedEverywhere(dave.token);
    await eventually(async () => {
      expect((await admin(`/users/${dave.id}/reactivate`)).status).to.equal(200);
      expect((await admin(`/users/${dave.id}`, "GET")).body["status"]).to.equal("active");
    });
    const token = await api.signIn(dave.email, password);

    await upstream.publish(event);
    await upstream.publish({ ...event, id: randomUUID() });
    await untilPartitionIsHandled(dave.id);

    expect(await statuses(token)).to.deep.equal([200, 200]);
    expect(await statuses(dave.token)).to.deep.equal([401, 401]);
  });

  it("puts what it cannot decode onto the dead-letter topic, and goes on", async () => {
    const erin = await createPerson();
    const poison = `not json ${randomUUID()}`;
    await upstream.publishRaw(poison, { "x-trace": "kept" }, erin.id);
    await upstream.publish({ type: "user.deactivated", subject: erin.id });
    await untilRefusedEverywhere(erin.token);

    const headers = await upstream.findDeadLetter((value) => value?.toString() === poison);
    expect(headers).to.include({ dead_letter_reason: "not-json", "x-trace": "kept" });
    expect(headers["dead_letter_topic"]).to.equal(`${namespace}.user-events`);
  });

  it("repairs what a worker left half-done that was killed between the store and the commit", async function () {
    this.timeout(60_000);
    const frank = await createPerson();
    mongoLink.cut();
    const { status, body } = await admin(`/users/${frank.id}/deactivate`);
    expect(status).to.equal(202);
    await untilRefusedEverywhere(frank.token);
    worker.child.kill("SIGKILL");
    const path = `/revocations/${String(body["event_id"])}`;
    expect((await admin(path, "GET")).body["status"]).to.equal("pending");

    mongoLink.restore();
    await workerFleet.startWorker();

    await eventually(async () => expect((await admin(path, "GET")).body["status"]).to.equal("enforced"), {
      timeoutMs: 40_000,
      intervalMs: 200,
    });
    expect((await admin(path, "GET")).body["tokens_revoked"]).to.equal(1);
  });
});
