import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { afterEach, beforeEach, describe, it } from "mocha";
import { eventually } from "../support/eventually.ts";
import { freshJwk, setOf } from "../support/jwks.ts";
import { createLeaks, type Leaks } from "../support/leaks.ts";
import { type NodeProcess, startNode } from "../support/node-process.ts";

const canary = (what: string) => `canary-of-${what}-4711`;
const urls = {
  MONGO_URL: `mongodb://user:${canary("mongo")}@127.0.0.1:1/?authSource=admin`,
  REDIS_URL: `redis://user:${canary("redis")}@127.0.0.1:1`,
};
const kafka = {
  KAFKA_SASL_MECHANISM: "scram-sha-512",
  KAFKA_USERNAME: "user",
  KAFKA_PASSWORD: canary("kafka"),
};
const administrator = { ADMIN_EMAIL: "admin@example.com", ADMIN_PASSWORD: canary("administrator") };

describe("secrets among the settings", () => {
  let folder: string;
  let keysFile: string;
  let leaks: Leaks;
  let running: NodeProcess | undefined;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "quash-secrets-"));
    keysFile = join(folder, "keys.json");
    const jwk = await freshJwk("one");
    await writeFile(keysFile, setOf(jwk));
    leaks = createLeaks();
    for (const what of ["mongo", "redis", "kafka", "administrator"]) leaks.keep(what, canary(what));
    leaks.keep("key", String(jwk.d));
  });
  afterEach(async () => {
    running?.child.kill("SIGKILL");
    await running?.ended;
    await rm(folder, { recursive: true, force: true });
  });

  const start = (entry: string, environment: Record<string, string>) => {
    running = startNode([entry], { environment: { LOG_LEVEL: "debug", HOST: "127.0.0.1", ...environment } });
    return running;
  };
  const away = { ...urls, ...kafka, KAFKA_BROKERS: "127.0.0.1:1" };

  async function noteAnswers(url: string, paths: readonly string[]): Promise<void> {
    for (const path of paths) leaks.note(path, await (await fetch(`${url}${path}`)).text());
  }

  it("are in nothing that an API process tells while everything is away", async function () {
    this.timeout(60_000);
    const environment = { ...away, ...administrator, SIGNING_KEYS_FILE: keysFile, PORT: "0" };
    const api = start("api/main.ts", environment);
    await api.untilLogged("api.listening");
    await eventually(() => expect(api.logged("setup.waiting")).to.have.length.at.least(3), {
      timeoutMs: 15_000,
    });
    const url = String(api.logged("api.listening")[0]?.["url"]);
    await noteAnswers(url, ["/readyz", "/metrics", "/.well-known/jwks.json", "/me"]);
    api.child.kill("SIGTERM");
    expect(await api.ended).to.equal(0);
    leaks.note("the log", api.output());
    expect(leaks.found).to.deep.equal([]);
  });

  it("are in nothing that a worker tells while everything is away", async function () {
    this.timeout(60_000);
    const worker = start("workers/main.ts", { ...away, HEALTH_PORT: "0" });
    await worker.untilLogged("worker.started");
    await worker.untilLogged("redis.disconnected");
    await worker.untilLogged("mongodb.disconnected");
    const url = String(worker.logged("worker.started")[0]?.["health_url"]);
    await noteAnswers(url, ["/readyz", "/metrics"]);
    worker.child.kill("SIGTERM");
    await worker.ended;
    leaks.note("the log", worker.output());
    expect(leaks.found).to.deep.equal([]);
  });

  const slips: readonly [string, Record<string, string>][] = [
    [
      "addresses with other schemes",
      { MONGO_URL: urls.MONGO_URL.replace("mongodb", "http"), REDIS_URL: `${canary("redis")}@x` },
    ],
    ["half of Kafka's credentials", { KAFKA_USERNAME: "" }],
    ["an address that only the library reads", { MONGO_URL: `${urls.MONGO_URL}&nonsense=true` }],
    ["a password that is none", { ADMIN_PASSWORD: `${canary("administrator")}\t` }],
    ["a secret that is set twice", { KAFKA_PASSWORD_FILE: "x" }],
  ];
  for (const [what, slip] of slips) {
    it(`are in no message about ${what}`, async () => {
      const environment = { ...away, ...administrator, SIGNING_KEYS_FILE: keysFile, PORT: "0", ...slip };
      const api = start("api/main.ts", environment);
      expect(await api.ended).to.equal(78);
      leaks.note("the message", api.output());
      expect(leaks.found).to.deep.equal([]);
      expect(api.output()).to.include("The settings are not valid");
    });
  }
});
