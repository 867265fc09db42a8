import { expect } from "chai";
import { afterEach, beforeEach, it } from "mocha";
import { createRealSystem, type RealProcess, type RealSystem } from "../support/real-system.ts";
import { createRedisProcess, type RedisProcess } from "../support/redis-process.ts";
import { describeWithServices, freshNamespace } from "../support/services.ts";
import { startTcpProxy, type TcpProxy } from "../support/tcp-proxy.ts";

describeWithServices("a start with a dependency absent", ["mongo", "kafka"], (services) => {
  let system: RealSystem;
  let redis: RedisProcess;
  let mongo: TcpProxy;
  let kafka: TcpProxy;

  beforeEach(async () => {
    redis = await createRedisProcess();
    mongo = await proxyOf(services.mongoUrl);
    kafka = await proxyOf(`kafka://${services.kafkaBrokers.split(",")[0]}`);
    system = await createRealSystem({
      MONGO_URL: `mongodb://127.0.0.1:${mongo.port}/?directConnection=true`,
      REDIS_URL: redis.url,
      KAFKA_BROKERS: `127.0.0.1:${kafka.port}`,
      NAMESPACE: freshNamespace(),
    });
  });
  afterEach(async function () {
    this.timeout(30_000);
    await system.close();
    await Promise.all([redis.close(), mongo.close(), kafka.close()]);
  });

  const startBoth = () => Promise.all([system.startApi(), system.startWorker()]);

  async function expectWorkerLacks(worker: RealProcess, name: string): Promise<void> {
    const { status, checks } = await worker.readyz();
    expect([status, checks[name]?.status], worker.output()).to.deep.equal([503, "unavailable"]);
    expect(checks[name]?.detail).to.include(name);
    expect(Date.parse(String(checks[name]?.since))).to.be.closeTo(Date.now(), 60_000);
  }

  /** Whatever was absent at the start, the same processes do all of it. */
  async function expectWholeWay(api: RealProcess, worker: RealProcess): Promise<void> {
    await Promise.all([api.untilReady(), worker.untilReady()]);
    const token = await api.client.signIn();
    expect(await api.client.statusOf(token)).to.equal(200);
    const id = await api.client.createUser(token, { email: "alice@example.com", password: "long enough" });
    const path = `/users/${id}/deactivate?wait=enforced&timeout_ms=20000`;
    const { status, body } = await api.client.call(path, { method: "POST", token });
    expect([status, body["status"]], worker.output()).to.deep.equal([200, "enforced"]);
  }

  it("of Redis: refuses what needs a token, names it, and does all of it once Redis is there", async function () {
    this.timeout(60_000);
    const [api, worker] = await startBoth();
    const { status, checks } = await api.readyz();
    expect([status, checks["replica"]?.detail]).to.deep.equal([503, "cold: redis does not answer"]);
    expect(Date.parse(String(checks["replica"]?.since))).to.be.closeTo(Date.now(), 60_000);
    await expectWorkerLacks(worker, "redis");
    expect((await api.client.call("/.well-known/jwks.json")).status).to.equal(200);
    const refused = await api.client.call("/me", { token: "any" });
    expect([refused.status, refused.body["type"]]).to.deep.equal([503, "/problems/replica-cold"]);

    await redis.start();
    await expectWholeWay(api, worker);
  });

  it("of MongoDB: refuses sign-in in time, names it, and does all of it once it is there", async function () {
    this.timeout(60_000);
    mongo.cut();
    await redis.start();
    const [api, worker] = await startBoth();
    const { status, checks } = await api.readyz();
    expect([status, checks["setup"]?.status]).to.deep.equal([503, "unavailable"]);
    expect(checks["setup"]?.detail).to.match(/^waiting for mongodb/);
    expect(Date.parse(String(checks["setup"]?.since))).to.be.closeTo(Date.now(), 60_000);
    await expectWorkerLacks(worker, "mongodb");
    const body = { email: "alice@example.com", password: "long enough" };
    const refused = await api.client.call("/auth/login", { body });
    expect([refused.status, refused.body["type"]]).to.deep.equal([503, "/problems/dependency-unavailable"]);

    mongo.restore();
    await expectWholeWay(api, worker);
  });

  it("of Kafka: does all of it but for what comes over Kafka, names it, and joins once it is there", async function () {
    this.timeout(60_000);
    kafka.cut();
    await redis.start();
    const [api, worker] = await startBoth();
    await api.untilReady();
    await expectWorkerLacks(worker, "kafka");
    const token = await api.client.signIn();
    const id = await api.client.createUser(token, { email: "bob@example.com", password: "long enough" });
    const path = `/users/${id}/deactivate?wait=enforced&timeout_ms=20000`;
    const relayed = await api.client.call(path, { method: "POST", token });
    expect([relayed.status, relayed.body["status"]], worker.output()).to.deep.equal([200, "enforced"]);

    kafka.restore();
    await expectWholeWay(api, worker);
  });
});

function proxyOf(url: string): Promise<TcpProxy> {
  const { hostname, port } = new URL(url);
  return startTcpProxy({ host: hostname, port: Number(port) });
}
