import { expect } from "chai";
import { afterEach, beforeEach, it } from "mocha";
import type { RevocationStore } from "../../shared/ports/revocation-store.ts";
import { contentsOf, cutOff } from "../contract/revocation-store.contract.ts";
import { report } from "../support/instance-report.ts";
import { useOwnRedis } from "../support/own-redis.ts";
import { describeUnlessMissing, missingPrograms } from "../support/requirements.ts";
import { startTcpProxy, type TcpProxy } from "../support/tcp-proxy.ts";

describeUnlessMissing("the connections of a Redis store", missingPrograms(["redis-server"]), () => {
  const own = useOwnRedis();
  let proxy: TcpProxy;
  let store: RevocationStore;

  beforeEach(async () => {
    await own().server.start();
    await own().connectValid();
    const { hostname, port } = new URL(own().server.url);
    proxy = await startTcpProxy({ host: hostname, port: Number(port) });
    store = await own().connect({ url: `redis://127.0.0.1:${proxy.port}` });
    await store.add([cutOff("a", 1)]);
  });
  afterEach(async () => {
    await store.close();
    await proxy.close();
  });

  it("renew a lease while another call is stuck", async () => {
    proxy.stallOn((sent) => sent.includes("ZSCAN"));
    const stuck = contentsOf(store);
    expect(await store.sync(report("one", "first"))).to.include({ incarnation: "first" });
    proxy.restore();
    expect(await stuck).to.have.length(1);
  });

  it("let no sign-off overtake a sync that is under way", async () => {
    proxy.stallOn((sent) => sent.includes("first"));
    const calls = [store.sync(report("one", "first")), store.signOff("one")];
    expect(await store.ping()).to.equal(true);
    proxy.restore();
    await Promise.all(calls);
    expect((await store.readInstances()).instances[0]?.signedOffAtMs).to.be.a("number");
  });
});
