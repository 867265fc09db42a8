import { expect } from "chai";
import { describe, it } from "mocha";
import { errorTable } from "../../shared/errors.ts";
import type { RevocationStore } from "../../shared/ports/revocation-store.ts";
import { eventually } from "../support/eventually.ts";
import { report } from "../support/instance-report.ts";
import { replaceMethod } from "../support/replace-method.ts";
import { createApiWorld } from "../support/test-api.ts";

describe("GET /instances", () => {
  it("shows no instance as fresh whose syncs renew no lease, since the store is under repair", async () => {
    const world = await createApiWorld();
    const worker = await world.startWorker();
    const one = await world.startApi();
    const token = await one.signIn();
    const states = async () => statesIn((await one.call("/instances", { token })).body["items"]);
    await eventually(async () => expect(await states()).to.deep.equal(["fresh"]));

    await worker.close();
    await world.connectParts().store.beginRepair("a lock");

    expect(await states()).to.deep.equal(["stale"]);
    await world.close();
  });

  it("shows no instance as fresh whose syncs renew no lease, since the fence does not cover it", async () => {
    const world = await createApiWorld();
    await (await world.startWorker()).close();
    const one = await world.startApi();
    const token = await one.signIn();
    const { store } = world.connectParts();
    const { incarnation, head } = await store.readState();
    await store.sync({ ...report("long", incarnation, head), maxStalenessMs: 60_000 });

    const states = statesIn((await one.call("/instances", { token })).body["items"]);
    expect(states).to.have.members(["fresh", "stale"]);
    await world.close();
  });
});

describe("GET /problems/:slug", () => {
  it("explains every problem, with what to do", async () => {
    const world = await createApiWorld();
    const one = await world.listen();
    for (const slug of Object.keys(errorTable)) {
      const { status, body } = await one.call(`/problems/${slug}`);
      expect([status, body["type"]]).to.deep.equal([200, `/problems/${slug}`]);
      expect(body["detail"], slug).to.match(/^[A-Z].{20,}\.$/);
    }
    await world.close();
  });
});

describe("an API instance that could not close a part", () => {
  it("says so to whoever waits for its end", async () => {
    const world = await createApiWorld();
    const worker = await world.startWorker();
    const parts = world.connectParts();
    const one = await world.startApi({ ...parts, store: unclosable(parts.store) });

    const outcomes = await Promise.allSettled([one.api.close(), one.api.closed]);

    expect(outcomes.map(({ status }) => status)).to.deep.equal(["rejected", "rejected"]);
    expect(one.api.open).to.deep.equal([]);
    await worker.close();
  });
});

function unclosable(store: RevocationStore): RevocationStore {
  return replaceMethod(store, "subscribe", async (listener) => {
    const subscription = await store.subscribe(listener);
    return { close: () => subscription.close().then(() => Promise.reject(new Error("stuck"))) };
  });
}

function statesIn(items: unknown): unknown[] {
  return Array.isArray(items) ? items.map((item: unknown) => Reflect.get(Object(item), "state")) : [];
}
