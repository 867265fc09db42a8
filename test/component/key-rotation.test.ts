import { expect } from "chai";
import { afterEach, beforeEach, describe, it } from "mocha";
import { createKeyWatch, type KeyWatch } from "../../api/keys/key-watch.ts";
import { parseKeys } from "../../api/tokens/keys.ts";
import { keyRevocationIdOf } from "../../shared/events/event-id.ts";
import { eventually } from "../support/eventually.ts";
import { freshJwk, type NamedJwk, setOf } from "../support/jwks.ts";
import { createRecordingLog } from "../support/recording-log.ts";
import { type ApiWorld, createApiWorld, type TestApi } from "../support/test-api.ts";

describe("signing keys that change while instances run", () => {
  let [one, two]: NamedJwk[] = [];
  let files: string[];
  let watches: KeyWatch[];
  let world: ApiWorld;
  let first: TestApi;
  let second: TestApi;
  const log = createRecordingLog();

  beforeEach(async () => {
    [one, two] = await Promise.all([freshJwk("one"), freshJwk("two")]);
    const before = setOf(one, two);
    world = await createApiWorld({ keys: await parseKeys(before), log });
    files = [before, before];
    watches = files.map((_, at) =>
      createKeyWatch({
        path: "keys.json",
        readFile: () => Promise.resolve(files[at] ?? ""),
        timers: world.platform.timers,
        log,
      }),
    );
    await world.startWorker();
    first = await world.startApi({}, watches[0]);
    second = await world.startApi({}, watches[1]);
  });
  afterEach(() => world.close());

  const now = () => new Date(world.platform.clock.wallMs()).toISOString();

  /** A new file on the instances of these numbers only. */
  async function deploy(text: string, ...at: readonly number[]): Promise<void> {
    for (const place of at) {
      files[place] = text;
      await watches[place]?.reload();
    }
  }

  const partOf = (token: string, at: 0 | 1) =>
    JSON.parse(Buffer.from(token.split(".")[at] ?? "", "base64url").toString());
  const kidOf = (token: string): unknown => partOf(token, 0)["kid"];

  async function explain(token: string, administrator: string): Promise<Record<string, unknown>> {
    const { status, body } = await second.call(`/tokens/${partOf(token, 1)["jti"]}/explain`, {
      token: administrator,
    });
    expect(status, JSON.stringify(body)).to.equal(200);
    return body;
  }

  it("hit no innocent when the second key is put first while requests run", async () => {
    const old = await first.signIn();
    const statuses = new Set<number>();
    const end = new AbortController();
    const traffic = [first, second].map(async (api) => {
      while (!end.signal.aborted) {
        statuses.add(await second.statusOf(await api.signIn()));
        statuses.add(await api.statusOf(old));
      }
    });
    await deploy(setOf(two, one), 0);
    await deploy(setOf(two, one), 1);
    const young = await first.signIn();
    await deploy(setOf(two, { ...one, "quash:retired_at": now() }), 0, 1);
    end.abort();
    await Promise.all(traffic);
    expect([...statuses]).to.deep.equal([200]);
    expect([kidOf(old), kidOf(young)]).to.deep.equal(["one", "two"]);
    expect(await second.statusOf(old)).to.equal(200);
  });

  it("are refused at once where the file marks one as compromised, in a token that was verified before, too", async () => {
    const [old, other] = [await first.signIn(), await second.signIn()];
    await deploy(setOf(two, one), 0);
    const young = await first.signIn();
    expect(await first.statusOf(old)).to.equal(200);
    await deploy(setOf(two, { ...one, "quash:compromised_at": now() }), 0);
    for (const token of [old, other]) {
      const { status, body } = await first.call("/me", { token });
      expect(status).to.equal(401);
      expect(body).to.include({ type: "/problems/key-unknown" });
    }
    expect(await first.statusOf(young)).to.equal(200);
    const { body, headers } = await first.call("/.well-known/jwks.json");
    expect(JSON.stringify(body)).to.include('"two"').and.not.include('"one"');
    expect(headers.get("cache-control")).to.equal("public, max-age=300");
  });

  it("are refused by every instance, also one that never reads the new file, with a receipt", async () => {
    const old = await second.signIn();
    expect(await second.statusOf(old)).to.equal(200);
    await deploy(setOf(two, { ...one, "quash:compromised_at": now() }), 0);
    await eventually(async () => expect(await second.statusOf(old)).to.equal(401));
    const young = await second.signIn();
    expect(kidOf(young)).to.equal("two");

    const thumbprint = (await parseKeys(setOf(one))).listed[0]?.thumbprint ?? "";
    const path = `/revocations/${keyRevocationIdOf(thumbprint)}`;
    await eventually(async () => {
      const { body } = await second.call(path, { token: young });
      expect(body).to.include({ status: "enforced", type: "token.revoked" });
    });
  });

  it("are explained where one is compromised: the rule, its event, since when, and who said so", async () => {
    const old = await second.signIn();
    const before = await explain(old, old);
    expect(before).to.include({ verdict: "accepted", rule: "none", event: null });
    expect(before["token"]).to.include({ kid: "one" });

    await deploy(setOf(two, { ...one, "quash:compromised_at": now() }), 0);
    await eventually(async () => expect(await second.statusOf(old)).to.equal(401));
    const young = await second.signIn();
    const thumbprint = (await parseKeys(setOf(one))).listed[0]?.thumbprint ?? "";
    await eventually(async () => {
      const body = await explain(old, young);
      expect(body).to.include({ verdict: "refused", code: "key-unknown", rule: "signing-key" });
      expect(body["event"]).to.include({ event_id: keyRevocationIdOf(thumbprint), status: "enforced" });
      expect(body["since"])
        .to.equal(Reflect.get(Object(body["event"]), "applied_at"))
        .and.not.equal(null);
      expect(body["by"]).to.deep.equal({ actor: null, source: "/quash/test" });
      expect(body["token"]).to.include({ kid: "one" });
    });
    expect(await explain(young, young)).to.include({ verdict: "accepted", event: null });
  });

  it("are explained where one was taken out of the file, which no event says", async () => {
    const old = await second.signIn();
    await deploy(setOf(two), 1);
    const body = await explain(old, await second.signIn());
    expect(body).to.include({ verdict: "refused", code: "key-unknown", rule: "signing-key" });
    expect(body).to.include({ event: null, since: null, by: null });
    expect(await first.statusOf(old)).to.equal(200);

    await first.call("/auth/logout", { method: "POST", token: old });
    await eventually(async () => expect(await first.statusOf(old)).to.equal(401));
    const ended = await explain(old, await second.signIn());
    expect(ended).to.include({ rule: "signing-key", event: null, since: null, by: null });
  });

  it("are refused by every instance, also where an emitter has used the names of that news before", async () => {
    const password = "long enough";
    await first.createUser(await first.signIn(), { email: "hr@example.com", password, roles: ["emitter"] });
    const old = await second.signIn();
    const id = (await parseKeys(setOf(one))).listed[0]?.thumbprint;
    const { status } = await first.call("/events", {
      token: await first.signIn("hr@example.com", password),
      headers: { "content-type": "application/cloudevents+json" },
      body: { specversion: "1.0", source: "key-revoked", id, type: "token.revoked", data: { jti: "x" } },
    });
    expect(status).to.equal(202);
    await deploy(setOf(two, { ...one, "quash:compromised_at": now() }), 0);
    await eventually(async () => expect(await second.statusOf(old)).to.equal(401));
  });

  it("are in the audit when they are new, retired or compromised", async () => {
    const three = await freshJwk("three");
    await deploy(setOf(three, { ...two, "quash:retired_at": now() }, one), 0);
    await deploy(
      setOf(three, { ...two, "quash:retired_at": now() }, { ...one, "quash:compromised_at": now() }),
      0,
    );
    const token = await first.signIn();
    for (const [kid, action] of Object.entries({ one: "compromised", two: "retired", three: "added" })) {
      await eventually(async () => {
        const { body } = await first.call(`/audit?action=key.${action}`, { token });
        expect(JSON.stringify(body["items"])).to.include(`"object":"${kid}"`);
      });
    }
  });

  it("are refused by an instance that starts later with the old file", async () => {
    const old = await second.signIn();
    await deploy(setOf(two, { ...one, "quash:compromised_at": now() }), 0);
    await eventually(async () => expect(await second.statusOf(old)).to.equal(401));
    const late = await world.startApi();
    expect(await late.statusOf(old)).to.equal(401);
  });

  it("are refused everywhere while Kafka is away, too", async () => {
    const old = await second.signIn();
    world.logServer.setAvailable(false);
    await deploy(setOf(two, { ...one, "quash:compromised_at": now() }), 0);
    await eventually(async () => expect(await second.statusOf(old)).to.equal(401), { timeoutMs: 15_000 });
    world.logServer.setAvailable(true);
  });

  it("are refused everywhere once MongoDB answers again, if it was away when the file came", async () => {
    const old = await second.signIn();
    world.databaseServer.setAvailable(false);
    await deploy(setOf(two, { ...one, "quash:compromised_at": now() }), 0);
    expect(await first.statusOf(old)).to.equal(401);
    world.databaseServer.setAvailable(true);
    await eventually(async () => expect(await second.statusOf(old)).to.equal(401), { timeoutMs: 15_000 });
  });

  it("close the streams of a key that is compromised", async () => {
    const token = await second.signIn();
    const stream = await fetch(`${second.url}/me/stream`, { headers: { authorization: `Bearer ${token}` } });
    await deploy(setOf(two, { ...one, "quash:compromised_at": now() }), 0);
    expect(await stream.text()).to.include("event: stale");
  });

  it("leave an instance without any key that may sign: it says so, and takes a new one without a restart", async () => {
    const marks = { "quash:compromised_at": now() };
    await deploy(setOf(await freshJwk("three"), { ...one, ...marks }, { ...two, ...marks }), 0);
    const credentials = { email: "admin@example.com", password: "correct horse battery" };
    await eventually(async () => {
      const { status, body, headers } = await second.call("/auth/login", { body: credentials });
      expect(status).to.equal(503);
      expect(body).to.include({ type: "/problems/no-signing-key" });
      expect(headers.get("retry-after")).to.match(/^\d+$/);
    });
    await deploy(files[0] ?? "", 1);
    expect(await second.statusOf(await first.signIn())).to.equal(200);
  });

  it("go on with the old ones where the new file is bad, and the log and a metric say why", async () => {
    const token = await first.signIn();
    await deploy(setOf({ ...two, use: "enc" }), 0);
    expect(await first.statusOf(token)).to.equal(200);
    expect(kidOf(await first.signIn())).to.equal("one");
    expect(log.logged("keys.file-refused").join()).to.include('use \\"sig\\"');
    const metrics = await (await fetch(`${first.url}/metrics`)).text();
    expect(metrics).to.include("signing_key_files_refused_total 1");
    expect(metrics).to.include('signing_key_info{kid="one",state="signs"} 1');
  });
});
