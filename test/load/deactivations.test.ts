import { expect } from "chai";
import { afterEach, describe, it } from "mocha";
import { createClient } from "../support/client.ts";
import { runDeactivations } from "./deactivations.ts";
import { type FakeInstance, type FakeOptions, startFakeInstance } from "./fake-instance.ts";

describe("the deactivations of the load test", () => {
  let instance: FakeInstance | undefined;
  afterEach(() => instance?.close());

  const run = async (options: FakeOptions, isBehindEntry = false) => {
    instance = await startFakeInstance(options);
    const { url, system } = instance;
    const people = ["ann", "bob", "cid"].map((id) => ({ id, token: id }));
    const plan = { people, perSecond: 100, admin: createClient(url), adminToken: "admin" };
    return runDeactivations(
      { ...system, ...(isBehindEntry && { instanceUrls: [] }) },
      { ...plan, instances: 1 },
    );
  };

  it("fail at once when one is held, and name the setting", async () => {
    const error: unknown = await run({ receiptSays: "held" }).catch((thrown: unknown) => thrown);
    expect(String(error)).to.contain("HOLD_ABOVE_USERS_PER_MINUTE");
  }).timeout(5_000);

  for (const isBehindEntry of [false, true]) {
    const where = isBehindEntry ? "behind an entry" : "on an instance";
    it(`count what is accepted ${where} just after its receipt says enforced`, async () => {
      const { acceptedAfterEnforced, propagationsMs } = await run({ refusedAfterMs: 200 }, isBehindEntry);
      expect(acceptedAfterEnforced).to.be.at.least(3);
      expect(Math.min(...propagationsMs)).to.be.at.least(195);
    });

    it(`ask ${where} with each revoked token at once, and again at the end`, async () => {
      const { acceptedAfterEnforced, probes } = await run({}, isBehindEntry);
      expect([acceptedAfterEnforced, ...probes.values()]).to.deep.equal([0, 6]);
    });
  }
});
