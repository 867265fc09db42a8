import { expect } from "chai";
import { after, before, it } from "mocha";
import { Agent, request } from "undici";
import { eventually } from "../support/eventually.ts";
import { createRealSystem, type RealProcess, type RealSystem } from "../support/real-system.ts";
import { addressesOf, describeWithServices, freshNamespace } from "../support/services.ts";
import { startTcpProxy, type TcpProxy } from "../support/tcp-proxy.ts";

const password = "a perfectly fine password";
/** Longer than its lease and all that the others wait for. */
const busyMs = 8_000;
/** At a signal of its own it does nothing for so long, as in a long computation or a collection of garbage. */
const busyAtSignal = `process.on("SIGUSR2", () => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ${busyMs}))`;

describeWithServices("processes that are stopped", ["mongo", "redis", "kafka"], (services) => {
  let system: RealSystem;
  let api: RealProcess;
  /** Its way to Redis is `redisLink`. */
  let other: RealProcess;
  let redisLink: TcpProxy;
  /** Its way to MongoDB is `mongoLink`. */
  let worker: RealProcess;
  let mongoLink: TcpProxy;
  let admin: string;

  before(async function () {
    this.timeout(60_000);
    redisLink = await linkTo(services.redisUrl);
    mongoLink = await linkTo(services.mongoUrl);
    system = await createRealSystem({
      ...addressesOf(services),
      NAMESPACE: freshNamespace(),
      SYNC_INTERVAL_MS: "500",
      MAX_STALENESS_MS: "3000",
    });
    [api, other, worker] = await Promise.all([
      system.startApi(),
      system.startApi({
        REDIS_URL: over(redisLink, services.redisUrl),
        NODE_OPTIONS: `--import data:text/javascript,${encodeURIComponent(busyAtSignal)}`,
      }),
      system.startWorker({ MONGO_URL: over(mongoLink, services.mongoUrl) }),
    ]);
    await Promise.all([api, other, worker].map((one) => one.untilReady()));
    admin = await api.client.signIn();
  });
  after(async function () {
    this.timeout(30_000);
    await system?.close();
    await Promise.all([redisLink?.close(), mongoLink?.close()]);
  });

  async function createPerson(name: string) {
    const email = `${name}@example.com`;
    const id = await api.client.createUser(admin, { email, password });
    return { id, token: await api.client.signIn(email, password) };
  }

  async function receiptOf(eventId: unknown) {
    return (await api.client.call(`/revocations/${String(eventId)}`, { token: admin })).body;
  }

  const untilEnforced = (eventId: unknown) =>
    eventually(async () => expect(await receiptOf(eventId)).to.include({ status: "enforced" }), {
      timeoutMs: 30_000,
    });

  async function refusesAfter(name: string, how: { standStill: () => unknown; goOn: () => unknown }) {
    const { id, token } = await createPerson(name);
    const kept = new Agent({ connections: 1 });
    const fresh = new Agent();
    const ask = async (dispatcher: Agent) => {
      const headers = { authorization: `Bearer ${token}` };
      const answer = await request(`${other.url}/me`, { headers, dispatcher });
      await answer.body.dump();
      return answer.statusCode;
    };
    expect(await ask(kept)).to.equal(200);

    how.standStill();
    redisLink.stall();
    const path = `/users/${id}/deactivate?wait=enforced&timeout_ms=20000`;
    const receipt = await api.client.call(path, { method: "POST", token: admin });
    expect(receipt.body).to.include({ status: "enforced" });
    expect(statesIn(receipt.body)).to.have.members(["enforced", "fenced"]);
    const asked = [ask(kept), ask(fresh)];
    how.goOn();

    expect(await Promise.all(asked)).to.deep.equal([503, 503]);
    expect(await ask(kept)).to.equal(503);
    redisLink.restore();
    await other.untilReady();
    expect([await ask(kept), await other.client.statusOf(admin)]).to.deep.equal([401, 200]);
    await Promise.all([kept.close(), fresh.close()]);
  }

  it("an API instance that was suspended for longer than its lease refuses before it can accept", async function () {
    this.timeout(60_000);
    await refusesAfter("alice", {
      standStill: () => other.child.kill("SIGSTOP"),
      goOn: () => other.child.kill("SIGCONT"),
    });
  });

  it("an API instance that was busy for longer than its lease refuses before it can accept", async function () {
    this.timeout(60_000);
    await refusesAfter("dora", { standStill: () => other.child.kill("SIGUSR2"), goOn: () => undefined });
  });

  it("an API instance that is told to end answers who waits, ends its streams, and counts as gone", async function () {
    this.timeout(60_000);
    const { id } = await createPerson("bob");
    const stream = await fetch(`${other.url}/me/stream`, { headers: { authorization: `Bearer ${admin}` } });
    mongoLink.stall();
    const path = `/users/${id}/deactivate?wait=enforced&timeout_ms=30000`;
    const waiting = other.client.call(path, { method: "POST", token: admin });
    await eventually(async () => {
      const user = await api.client.call(`/users/${id}`, { token: admin });
      expect(user.body).to.include({ status: "deactivated" });
    });
    other.child.kill("SIGTERM");

    const answer = await waiting;
    expect([answer.status, answer.headers.get("connection")]).to.deep.equal([202, "close"]);
    expect(await stream.text()).to.match(/^event: shutting-down$/m);
    expect(await other.ended, other.output()).to.equal(0);
    mongoLink.restore();
    await untilEnforced(answer.body["event_id"]);
    expect(statesIn(await receiptOf(answer.body["event_id"])))
      .to.include("gone")
      .and.not.include("fenced");
  });

  it("a worker that is told to end in a batch commits none of it, ends in time, and loses nothing", async function () {
    this.timeout(60_000);
    const { id, token } = await createPerson("carol");
    mongoLink.stall();
    const { body } = await api.client.call(`/users/${id}/deactivate`, { method: "POST", token: admin });
    // Its cut-off is in the store: the worker stands in the middle of the batch, and waits for MongoDB.
    await eventually(async () => expect(await api.client.statusOf(token)).to.equal(401));
    worker.child.kill("SIGTERM");

    expect(await worker.ended, worker.output()).to.equal(0);
    expect(await receiptOf(body["event_id"])).to.include({ status: "pending" });
    await system.startWorker();
    await untilEnforced(body["event_id"]);
  });
});

function linkTo(url: string): Promise<TcpProxy> {
  const { hostname, port } = new URL(url);
  return startTcpProxy({ host: hostname, port: Number(port) });
}

function over(link: TcpProxy, url: string): string {
  const linked = new URL(url);
  linked.hostname = "127.0.0.1";
  linked.port = String(link.port);
  return linked.href;
}

function statesIn({ instances }: Record<string, unknown>): unknown[] {
  return Array.isArray(instances) ? instances.map(({ state }: { state: unknown }) => state) : [];
}
