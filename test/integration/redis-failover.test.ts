import { expect } from "chai";
import { afterEach, it } from "mocha";
import { silentLog } from "../../shared/log.ts";
import type { RevocationStore } from "../../shared/ports/revocation-store.ts";
import { connectRedisStore } from "../../shared/redis/revocation-store.ts";
import { type RunningWorker, startWorker } from "../../workers/start-worker.ts";
import { contentsOf } from "../contract/revocation-store.contract.ts";
import { eventually } from "../support/eventually.ts";
import { administrator } from "../support/fleet.ts";
import { report } from "../support/instance-report.ts";
import { describeUnlessMissing, missingPrograms } from "../support/requirements.ts";
import { type SentinelGroup, startSentinelGroup } from "../support/sentinel.ts";
import { type ApiWorld, createApiWorld, namespace, type TestApi } from "../support/test-api.ts";

const patient = { timeoutMs: 40_000, intervalMs: 50 };
const password = "long enough for anyone";

describeUnlessMissing("a fail-over by Redis Sentinel", missingPrograms(["redis-server"]), function () {
  this.timeout(90_000);

  let world: ApiWorld;
  let group: SentinelGroup;
  let worker: RunningWorker | undefined;
  const stores: RevocationStore[] = [];

  async function start(maxLagSeconds: number): Promise<void> {
    world = await createApiWorld({ settings: { SYNC_INTERVAL_MS: 100, MAX_STALENESS_MS: 2_000 } });
    group = await startSentinelGroup({ maxLagSeconds });
    worker = await startWorker({
      settings: { namespace, issuer: world.defaults.TOKEN_ISSUER, syncIntervalMs: 100 },
      platform: world.platform,
      log: silentLog,
      parts: { ...world.connectParts(), store: await connect(group.url) },
    });
  }

  /** Of an instance that never moves on. */
  let beats: NodeJS.Timeout | undefined;

  afterEach(async () => {
    clearInterval(beats);
    await worker?.close();
    await world.close();
    await Promise.all(stores.splice(0).map((store) => store.close()));
    await group.close();
  });

  async function connect(url: string): Promise<RevocationStore> {
    const store = await connectRedisStore({ ...world.platform, url, namespace, log: silentLog });
    stores.push(store);
    return store;
  }

  const startApi = async (url: string) => world.startApi({ store: await connect(url) });

  async function signUp(api: TestApi, email: string): Promise<{ id: string; token: string }> {
    const id = await api.createUser(await adminOf(api), { email, password });
    return { id, token: await api.signIn(email, password) };
  }
  const adminOf = (api: TestApi) => api.signIn(administrator.email, administrator.password);

  /** The id of the event. */
  async function deactivate(api: TestApi, id: string): Promise<string> {
    const token = await adminOf(api);
    const { status, body } = await api.call(`/users/${id}/deactivate`, { method: "POST", token, body: {} });
    expect(status, JSON.stringify(body)).to.equal(202);
    return String(body["event_id"]);
  }

  const rowOf = (eventId: string) => world.databaseServer.connect().ledger.find(eventId);

  const hasCutOff = async (store: RevocationStore) =>
    (await contentsOf(store)).some(({ kind }) => kind === "cut-off");

  it("brings back by the repair what the replica was never given, and accepts the token in no moment", async () => {
    await start(10);
    const api = await startApi(group.url);
    const { id, token } = await signUp(api, "one@example.com");
    const promoted = await connect(group.replica.url);
    group.cutOff();
    await deactivate(api, id);
    await eventually(async () => expect(await api.statusOf(token)).to.equal(401), patient);
    await eventually(async () => expect(await hasCutOff(promoted)).to.equal(false));

    await group.primary.stop("SIGKILL");
    await group.promoted();
    group.follow();
    const statuses = new Set<number>();
    await eventually(async () => {
      statuses.add(await api.statusOf(token));
      expect(await hasCutOff(promoted)).to.equal(true);
    }, patient);
    expect([401, 503]).to.include.members([...statuses]);
    await eventually(async () => expect((await promoted.readState()).incarnation).to.be.a("string"));
    const late = await startApi(group.url);
    expect(await late.statusOf(token)).to.equal(401);
  });

  it("brings to the new primary what the old one was given after the promotion", async () => {
    await start(10);
    const [old, moved] = [await startApi(group.primary.url), await startApi(group.url)];
    const { id, token } = await signUp(moved, "one@example.com");
    const promoted = await connect(group.replica.url);
    const behind = { ...report("behind", null), maxStalenessMs: 2_000 };
    await (await connect(group.primary.url)).sync(behind);
    group.cutOff();
    await group.promoted();
    const eventId = await deactivate(moved, id);
    await eventually(async () => expect((await rowOf(eventId))?.status).to.equal("applied"), patient);
    const before = await rowOf(eventId);
    await eventually(async () => expect(await old.statusOf(token)).to.equal(401), patient);
    await eventually(async () => expect(await hasCutOff(promoted)).to.equal(false));

    group.follow();
    await eventually(async () => expect(await hasCutOff(promoted)).to.equal(true), patient);
    beats = setInterval(() => void promoted.sync(behind).catch(() => undefined), 500);
    const late = await startApi(group.url);
    expect([await late.statusOf(token), await old.statusOf(token)]).to.not.include(200);
    expect((await rowOf(eventId))?.status).to.equal("applied");
    clearInterval(beats);
    await promoted.signOff("behind");
    await eventually(async () => expect((await rowOf(eventId))?.status).to.equal("enforced"), patient);
    const { incarnation } = await promoted.readState();
    expect(incarnation).to.not.equal(before?.incarnation);
    expect(await rowOf(eventId)).to.include({ incarnation });
  });

  it("says enforced only once who follows the old primary has stopped to accept", async () => {
    await start(6);
    const [old, moved] = [await startApi(group.primary.url), await startApi(group.url)];
    const { id, token } = await signUp(moved, "one@example.com");
    group.cutOff();
    await group.promoted();
    group.follow();
    await eventually(async () => expect(await moved.statusOf(token)).to.equal(200), patient);
    const eventId = await deactivate(moved, id);
    await eventually(async () => expect(await moved.statusOf(token)).to.equal(401), patient);
    expect(await old.statusOf(token)).to.equal(200);

    await eventually(async () => expect((await rowOf(eventId))?.status).to.equal("enforced"), patient);
    expect(await old.statusOf(token)).to.equal(503);
    const states = (await rowOf(eventId))?.instances.map(({ state }) => state);
    expect(states).to.have.members(["enforced", "fenced"]);
  });
});
