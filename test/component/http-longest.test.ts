import { expect } from "chai";
import { afterEach, beforeEach, describe, it } from "mocha";
import type { ServiceSettings } from "../../api/settings.ts";
import { dependencyUnavailable } from "../../shared/errors.ts";
import type { Parts } from "../../shared/ports/parts.ts";
import { expectProblem } from "../support/expect-problem.ts";
import { createManualPlatform, type ManualPlatform } from "../support/manual-clock.ts";
import { type ApiWorld, createApiWorld, cuttable, type TestApi } from "../support/test-api.ts";
import { whileTimePasses } from "../support/while-time-passes.ts";
import { intercept } from "../support/worker-world.ts";

const long = { MAX_STALENESS_MS: 60_000, TOKEN_LIFETIME_SECONDS: 3_600 };
const longest = { maxStalenessMs: 60_000, tokenLifetimeSeconds: 3_600 };

describe("an instance and the longest values in use", () => {
  let platform: ManualPlatform;
  let world: ApiWorld;

  beforeEach(() => open(long));
  afterEach(() => inTime(world.close()));

  async function open(settings: Partial<ServiceSettings>): Promise<void> {
    platform = createManualPlatform();
    world = await createApiWorld({ platform, settings: { SYNC_INTERVAL_MS: 1_000, ...settings } });
  }
  const inTime = <T>(work: Promise<T>): Promise<T> => whileTimePasses(platform, work);
  const startWorker = () => inTime(world.startWorker());
  const signIn = (api: TestApi) => inTime(api.signIn());
  const readyOf = async (api: TestApi) => JSON.stringify((await inTime(api.call("/readyz"))).body["checks"]);
  async function gaugeOf(api: TestApi, name: string): Promise<number> {
    const text = await (await inTime(fetch(`${api.url}/metrics`))).text();
    return Number(new RegExp(`^${name} (.*)$`, "m").exec(text)?.[1]);
  }
  const isAccepting = async (api: TestApi) => (await gaugeOf(api, "revocation_replica_accepting")) === 1;
  const timesWanted = async () => {
    const { wanted } = await world.connectParts().store.readState();
    return wanted.reduce((sum, { times }) => sum + times, 0);
  };

  /** The parts, but for an instance that cannot raise the fence. */
  function withoutRaising(): Partial<Parts> {
    const { database } = world.connectParts();
    const ledger = intercept(database.ledger, "raiseLongest", () => {
      throw dependencyUnavailable("mongodb", new Error("the link is cut"));
    });
    return { database: { ...database, ledger } };
  }

  it("raises them itself at its start, and accepts without a worker's help", async () => {
    const worker = await startWorker();
    await platform.advance(1_000);
    await inTime(worker.close());
    await inTime(world.startApi());
    expect((await world.connectParts().database.ledger.readFence())?.longest).to.include(longest);
    expect((await world.connectParts().store.readState()).longest).to.include(longest);
  });

  it("says that it waits for a worker where it cannot raise them, and accepts once one has", async () => {
    await inTime((await startWorker()).close());
    const api = await inTime(world.listen(withoutRaising()));
    await platform.advance(3_000);
    expect(await readyOf(api)).to.include("a worker has yet to note this instance's longest staleness");
    expect(await isAccepting(api)).to.equal(false);

    await startWorker();
    await platform.advance(3_000);
    expect(await isAccepting(api)).to.equal(true);
  });

  it("raises them before each token while it does not accept, and before none while it does", async () => {
    await startWorker();
    const { store, cut } = cuttable(world.connectParts().store);
    const api = await inTime(world.startApi({ store }));
    const atFirst = await timesWanted();
    await signIn(api);
    expect(await timesWanted()).to.equal(atFirst);

    cut();
    await platform.advance(61_000);
    expect(await isAccepting(api)).to.equal(false);
    await signIn(api);
    await signIn(api);
    expect(await timesWanted()).to.equal(atFirst + 2);
  });

  it("signs nobody in once it has not reached Redis for longer than its lease", async () => {
    await startWorker();
    const api = await inTime(world.startApi());
    world.storeServer.setAvailable(false);
    await platform.advance(50_000);
    expect(await signIn(api)).to.be.a("string");
    await platform.advance(11_000);
    const body = { email: "admin@example.com", password: "whatever it is" };
    expectProblem(await inTime(api.call("/auth/login", { method: "POST", body })), "dependency-unavailable");
  });

  it("drops what has expired once it has run for the longest lifetime in use", async () => {
    await open({});
    await startWorker();
    const api = await inTime(world.startApi());
    const token = await signIn(api);
    const id = await inTime(api.createUser(token, { email: "alice@example.com", password: "long enough" }));
    await inTime(api.call(`/users/${id}/sign-out`, { method: "POST", token }));
    await platform.advance(100);
    expect(await gaugeOf(api, "revocation_replica_entries")).to.equal(1);
    await platform.advance(40 * 60_000);
    expect(await gaugeOf(api, "revocation_replica_entries")).to.equal(0);
  });
});
