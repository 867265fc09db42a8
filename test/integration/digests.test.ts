import { expect } from "chai";
import { Redis } from "ioredis";
import { afterEach, beforeEach, describe, it } from "mocha";
import { eventually } from "../support/eventually.ts";
import { startNode } from "../support/node-process.ts";
import { createRealWorkerWorld, issuer, type RealWorkerWorld } from "../support/real-worker-world.ts";
import { describeWithServices } from "../support/services.ts";

async function digests(environment: Readonly<Record<string, string>>) {
  const command = startNode(["workers/digests/main.ts"], { environment });
  return { code: await command.ended, output: command.output() };
}

describeWithServices("digests command on real servers", ["kafka", "redis", "mongo"], (services) => {
  let world: RealWorkerWorld;

  beforeEach(async () => {
    world = await createRealWorkerWorld(services);
    await world.start();
    const { id } = await world.addUser();
    await world.addToken(id);
    await world.publish(world.ownEvent("user.deactivated", id, { epoch: 1 }));
    await eventually(async () => expect((await world.tokensRevoked()).size).to.equal(1), {
      timeoutMs: 20_000,
    });
    await eventually(async () => expect(await world.database.ledger.listPending(1)).to.deep.equal([]));
    await world.stopWorkers();
  });
  afterEach(() => world.close());

  const run = () =>
    digests({
      MONGO_URL: services.mongoUrl,
      REDIS_URL: services.redisUrl,
      NAMESPACE: world.namespace,
      TOKEN_ISSUER: issuer,
    });

  it("ends with 0 while they agree, and with 1 and the buckets once one of them has lost something", async () => {
    expect(await run()).to.deep.equal({ code: 0, output: "ledger and store agree\n" });

    const redis = new Redis(services.redisUrl);
    for (const name of await redis.keys(`{${world.namespace}}:cut-offs:*`)) {
      await redis.del(name);
      await redis.zrem(`{${world.namespace}}:index:cut-offs`, name.split(":").at(-1) ?? "");
    }
    redis.disconnect();
    const { code, output } = await run();
    expect(code).to.equal(1);
    expect(output).to.match(
      /^cut-offs:[0-9a-f]{2} differs: 1 missing in the store, 0 unknown to the ledger\n$/,
    );
  }).timeout(60_000);

  it("ends with 2 and one line while there is no valid store", async () => {
    const redis = new Redis(services.redisUrl);
    await redis.del(`{${world.namespace}}:state`);
    redis.disconnect();
    const { code, output } = await run();
    expect([code, output]).to.deep.equal([
      2,
      "error: the store is not valid: a worker has to prepare or repair it first\n",
    ]);
  }).timeout(60_000);
});

describe("digests command", () => {
  it("names every setting that is missing or wrong, and no other", async () => {
    const { code, output } = await digests({ NAMESPACE: "Not a namespace" });
    expect(code).to.equal(78);
    expect(output).to.include("MONGO_URL").and.include("REDIS_URL").and.include("NAMESPACE");
    expect(output).to.not.include("KAFKA_BROKERS");
  });

  it("ends with 2 and one line that names who does not answer", async () => {
    const nobody = { MONGO_URL: "mongodb://127.0.0.1:9", REDIS_URL: "redis://:secret@127.0.0.1:9" };
    const { code, output } = await digests(nobody);
    expect(code).to.equal(2);
    expect(output).to.match(/^error: redis does not answer.*\n$/);
    expect(output).to.not.include("secret");
  });
});
