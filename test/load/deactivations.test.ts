import { expect } from "chai";
import { afterEach, describe, it } from "mocha";
import { createClient } from "../support/client.ts";
import { runDeactivations } from "./deactivations.ts";
import { type FakeInstance, startFakeInstance } from "./fake-instance.ts";

describe("the deactivations of the load test", () => {
  let instance: FakeInstance | undefined;
  afterEach(() => instance?.close());

  const run = async (options: Parameters<typeof startFakeInstance>[0]) => {
    instance = await startFakeInstance(options);
    const { system } = instance;
    const people = ["ann", "bob", "cid"].map((id) => ({ id, token: id }));
    const plan = { people, perSecond: 100, admin: createClient(system.entryUrl), adminToken: "admin" };
    return runDeactivations(system, plan);
  };

  it("fail at once when one is held, and name the setting", async () => {
    const error: unknown = await run({ receiptSays: "held" }).catch((thrown: unknown) => thrown);
    expect(String(error)).to.contain("HOLD_ABOVE_USERS_PER_MINUTE");
  }).timeout(5_000);
});
