import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import { Redis } from "ioredis";
import { after, before, describe, it } from "mocha";
import { silentLog } from "../../shared/log.ts";
import { createPlatform } from "../../shared/platform.ts";
import { type RevocationStore, repairLockMs } from "../../shared/ports/revocation-store.ts";
import { connectRedisFailureCounters } from "../../shared/redis/failure-counters.ts";
import { connectRedisStore } from "../../shared/redis/revocation-store.ts";
import { revocationStoreContract } from "../contract/revocation-store.contract.ts";
import { eventually } from "../support/eventually.ts";
import { createRedisProcess, type RedisProcess } from "../support/redis-process.ts";
import { describeUnlessMissing, missingPrograms } from "../support/requirements.ts";
import { createApiWorld } from "../support/test-api.ts";

const guide = readFileSync(join(import.meta.dirname, "..", "..", "docs", "integrating.md"), "utf8");
const namespace = "quash";
const password = "right";

/** The rules as the guide has them: user, then what `ACL SETUSER` takes. */
const rules = [...guide.matchAll(/^redis-cli ACL SETUSER (\S+) (.+)$/gm)].map(([, user = "", rest = ""]) => ({
  user,
  rules: rest.split(" ").map((rule) => rule.replace(/^(['"])(.*)\1$/, "$2").replace(/^>.*/, `>${password}`)),
}));

describeUnlessMissing("the rights that the guide gives in Redis", missingPrograms(["redis-server"]), () => {
  let server: RedisProcess;
  let admin: Redis;

  before(async () => {
    server = await createRedisProcess();
    await server.start();
    admin = new Redis(server.url);
    for (const { user, rules: given } of rules) await admin.acl("SETUSER", user, ...given);
  });
  after(async () => {
    admin.disconnect();
    await server.close();
  });

  const urlOf = (user: string) => server.url.replace("//", `//${user}:${password}@`);
  const connect = (user: string): Promise<RevocationStore> =>
    connectRedisStore({ url: urlOf(user), namespace, log: silentLog, ...createPlatform() });

  /** What was refused, but for what the processes can do without. */
  async function refused(): Promise<string[]> {
    const entries = (await admin.acl("LOG")) as unknown[][];
    const told = entries.map((entry) => `${String(entry[7])} (${String(entry[3])}, ${String(entry[9])})`);
    return told.filter((each) => !/^(config\|get|client\|setinfo|hello) /.test(each));
  }

  it("are for the API and the worker", () => {
    expect(rules.map(({ user }) => user)).to.deep.equal(["quash-api", "quash-worker"]);
  });

  it("let an API instance and a worker do all that they do, on the same store", async () => {
    await admin.acl("LOG", "RESET");
    const world = await createApiWorld();
    const stores = { api: await connect("quash-api"), worker: await connect("quash-worker") };
    const worker = await world.startWorker({ store: stores.worker });
    const api = await world.startApi({ store: stores.api });
    const token = await api.signIn();
    const alice = { email: "alice@example.com", password: "correct horse" };
    const id = await api.createUser(token, alice);
    const hers = await api.signIn(alice.email, alice.password);
    const deactivated = await api.call(`/users/${id}/deactivate?wait=enforced`, { token, method: "POST" });
    expect([deactivated.status, await api.statusOf(hers)]).to.deep.equal([200, 401]);

    await admin.unlink(`{${namespace}}:state`);
    await eventually(async () =>
      expect(await admin.hget(`{${namespace}}:state`, "incarnation")).not.to.equal(null),
    );
    await eventually(async () => expect(await api.statusOf(token)).to.equal(200));
    await api.api.close();
    await worker.close();
    await Promise.all([stores.api.close(), stores.worker.close(), world.close()]);
    expect(await refused()).to.deep.equal([]);
  });

  it("let an API instance count failed sign-ins", async () => {
    await admin.acl("LOG", "RESET");
    const counters = connectRedisFailureCounters({ url: urlOf("quash-api"), namespace, log: silentLog });
    const accounts = counters.open("account", 60);
    await eventually(async () => {
      await accounts.add("a");
      expect(await admin.keys(`{${namespace}}:failures:*`)).to.have.lengthOf(1);
    });
    expect((await accounts.read("a")).failures).to.be.above(0);
    counters.close();
    expect(await refused()).to.deep.equal([]);
  });

  it("keep the API from adding to the store, taking away from it, and reaching another namespace", async () => {
    const redis = new Redis(urlOf("quash-api"));
    for (const attempt of [
      ["APPEND", `{${namespace}}:tokens:1`, "x"],
      ["SET", `{${namespace}}:tokens:1`, "x"],
      ["XADD", `{${namespace}}:feed`, "*", "a", "b"],
      ["UNLINK", `{${namespace}}:tokens:1`],
      ["HSET", `{${namespace}}:cut-offs:1`, "a", "b"],
      ["HGETALL", "{other}:state"],
      ["PUBLISH", "{other}:announcements", "x"],
      ["FLUSHALL"],
      ["KEYS", "*"],
      ["CONFIG", "GET", "requirepass"],
    ] as const) {
      const [command, ...args] = attempt;
      const outcome = await redis.call(command, ...args).catch((error: Error) => error.message);
      expect(outcome, command).to.match(/^NOPERM/);
    }
    redis.disconnect();
  });

  describe("as the worker", () => {
    revocationStoreContract("Redis", async () => {
      const opened: RevocationStore[] = [];
      const wipe = async () => void (await admin.flushall());
      await Promise.all([wipe(), admin.acl("LOG", "RESET")]);
      return {
        async connect() {
          const store = await connect("quash-worker");
          opened.push(store);
          return store;
        },
        wipe,
        damage: async (bucket) => void (await admin.append(`{${namespace}}:${bucket}`, "broken")),
        loseInstance: async (id) => void (await admin.hdel(`{${namespace}}:instances`, id)),
        outliveRepairLock: async () => {
          await admin.hincrby(`{${namespace}}:state`, "lock_at", -repairLockMs);
        },
        async close() {
          await Promise.all(opened.map((store) => store.close()));
          await wipe();
          expect(await refused()).to.deep.equal([]);
        },
      };
    });
  });
});
