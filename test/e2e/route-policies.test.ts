import { expect } from "chai";
import { after, before, it } from "mocha";
import { eventually } from "../support/eventually.ts";
import { createRealSystem, type RealSystem } from "../support/real-system.ts";
import { addressesOf, describeWithServices, freshNamespace } from "../support/services.ts";
import { startTcpProxy, type TcpProxy } from "../support/tcp-proxy.ts";

describeWithServices("an instance with ROUTE_POLICIES", ["mongo", "redis", "kafka"], (services) => {
  let system: RealSystem;
  let redisLink: TcpProxy;

  before(async () => {
    const redis = new URL(services.redisUrl);
    redisLink = await startTcpProxy({ host: redis.hostname, port: Number(redis.port) });
    system = await createRealSystem({
      ...addressesOf(services),
      NAMESPACE: freshNamespace(),
      SYNC_INTERVAL_MS: "500",
      MAX_STALENESS_MS: "2000",
    });
  });
  after(async function () {
    this.timeout(30_000);
    await system?.close();
    await redisLink?.close();
  });

  it("goes on where best_effort holds, and refuses everywhere else, once its view is stale", async function () {
    this.timeout(60_000);
    const REDIS_URL = `redis://127.0.0.1:${redisLink.port}`;
    const [api, worker] = await Promise.all([
      system.startApi({ REDIS_URL, ROUTE_POLICIES: "/me=best_effort" }),
      system.startWorker(),
    ]);
    await Promise.all([api, worker].map((one) => one.untilReady()));
    const token = await api.client.signIn();
    const statusOf = async (path: string) => (await api.client.call(path, { token })).status;
    expect([await statusOf("/me"), await statusOf("/users")]).to.deep.equal([200, 200]);

    redisLink.stall();
    await eventually(async () => expect(await statusOf("/users")).to.equal(503));
    expect(await statusOf("/me")).to.equal(200);
  });
});
