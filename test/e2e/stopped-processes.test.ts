import { expect } from "chai";
import { afterEach, beforeEach, it } from "mocha";
import { Agent, request } from "undici";
import { eventually } from "../support/eventually.ts";
import { createRealSystem, type RealProcess, type RealSystem } from "../support/real-system.ts";
import { describeWithServices, freshNamespace } from "../support/services.ts";
import { startTcpProxy, type TcpProxy } from "../support/tcp-proxy.ts";

const password = "a perfectly fine password";

describeWithServices("processes that are stopped", ["mongo", "redis", "kafka"], (services) => {
  let system: RealSystem;
  let link: TcpProxy;

  beforeEach(async () => {
    system = await createRealSystem({
      MONGO_URL: services.mongoUrl,
      REDIS_URL: services.redisUrl,
      KAFKA_BROKERS: services.kafkaBrokers,
      NAMESPACE: freshNamespace(),
      SYNC_INTERVAL_MS: "500",
      MAX_STALENESS_MS: "2000",
    });
  });
  afterEach(async function () {
    this.timeout(30_000);
    await system.close();
    await link?.close();
  });

  /** The address of a service, over a link that the test can hold up. */
  async function over(url: string): Promise<string> {
    const linked = new URL(url);
    link = await startTcpProxy({ host: linked.hostname, port: Number(linked.port) });
    linked.hostname = "127.0.0.1";
    linked.port = String(link.port);
    return linked.href;
  }

  async function signInPerson(api: RealProcess, admin: string) {
    const email = "alice@example.com";
    const id = await api.client.createUser(admin, { email, password });
    return { id, token: await api.client.signIn(email, password) };
  }

  it("an API instance that was suspended for longer than its lease refuses before it can accept", async function () {
    this.timeout(90_000);
    const REDIS_URL = await over(services.redisUrl);
    const [api, paused] = await Promise.all([
      system.startApi(),
      system.startApi({ REDIS_URL }),
      system.startWorker(),
    ]);
    await Promise.all([api.untilReady(), paused.untilReady()]);
    const admin = await api.client.signIn();
    const { id, token } = await signInPerson(api, admin);
    const kept = new Agent({ connections: 1 });
    const ask = async (dispatcher?: Agent) => {
      const headers = { authorization: `Bearer ${token}` };
      const options = dispatcher === undefined ? { headers } : { headers, dispatcher };
      const answer = await request(`${paused.url}/me`, options);
      await answer.body.dump();
      return answer.statusCode;
    };
    expect(await ask(kept)).to.equal(200);

    paused.child.kill("SIGSTOP");
    link.stall();
    const path = `/users/${id}/deactivate?wait=enforced&timeout_ms=20000`;
    const receipt = await api.client.call(path, { method: "POST", token: admin });
    expect([receipt.status, receipt.body["status"]], JSON.stringify(receipt.body)).to.deep.equal([
      200,
      "enforced",
    ]);
    expect(statesIn(receipt.body)).to.have.members(["enforced", "fenced"]);
    const asked = [ask(kept), ask()];
    paused.child.kill("SIGCONT");

    expect(await Promise.all(asked)).to.deep.equal([503, 503]);
    expect(await ask(kept)).to.equal(503);
    link.restore();
    await paused.untilReady();
    expect([await ask(kept), await paused.client.statusOf(admin)]).to.deep.equal([401, 200]);
    await kept.close();
  });

  it("a worker that is told to end in the middle of a batch commits none of it, ends in time, and loses nothing", async function () {
    this.timeout(90_000);
    const MONGO_URL = await over(services.mongoUrl);
    const [api, worker] = await Promise.all([system.startApi(), system.startWorker({ MONGO_URL })]);
    await Promise.all([api.untilReady(), worker.untilReady()]);
    const admin = await api.client.signIn();
    const { id, token } = await signInPerson(api, admin);
    link.stall();
    const { body } = await api.client.call(`/users/${id}/deactivate`, { method: "POST", token: admin });
    // Its cut-off is in the store: it stands in the middle of the batch, waiting for MongoDB.
    await eventually(async () => expect(await api.client.statusOf(token)).to.equal(401));
    worker.child.kill("SIGTERM");

    expect(await worker.ended, worker.output()).to.equal(0);
    const statusOf = async () => {
      const receipt = await api.client.call(`/revocations/${String(body["event_id"])}`, { token: admin });
      return receipt.body["status"];
    };
    expect(await statusOf()).to.equal("pending");
    const next = await system.startWorker();
    await eventually(async () => expect(await statusOf(), next.output()).to.equal("enforced"), {
      timeoutMs: 30_000,
    });
  });
});

function statesIn({ instances }: Record<string, unknown>): unknown[] {
  return Array.isArray(instances) ? instances.map(({ state }: { state: unknown }) => state) : [];
}
