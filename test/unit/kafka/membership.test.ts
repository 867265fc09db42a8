import { expect } from "chai";
import { beforeEach, describe, it } from "mocha";
import { createMembership, type Membership } from "../../../shared/kafka/membership.ts";
import { createManualPlatform, type ManualPlatform } from "../../support/manual-clock.ts";

describe("createMembership", () => {
  let platform: ManualPlatform;
  let membership: Membership;
  let told: boolean[];

  beforeEach(() => {
    platform = createManualPlatform();
    told = [];
    membership = createMembership(platform.timers, 10_000, (isMember) => told.push(isMember));
  });

  it("is a member from the join on, as long as heartbeats get through", async () => {
    expect(membership.isMember()).to.equal(false);
    membership.joined();
    for (let n = 0; n < 5; n += 1) {
      await platform.advance(9_000);
      membership.renewed();
    }
    expect(membership.isMember()).to.equal(true);
  });

  it("is no member once no heartbeat got through for the session's time-out", async () => {
    membership.joined();
    await platform.advance(10_000);
    expect(membership.isMember()).to.equal(false);
  });

  it("tells each change, and nothing twice", async () => {
    membership.joined();
    membership.renewed();
    membership.left();
    membership.left();
    membership.joined();
    await platform.advance(10_000);
    expect(told).to.deep.equal([true, false, true, false]);
  });

  it("is no member after it left, and what it was given is stale", () => {
    membership.joined();
    const generation = membership.generation();
    membership.left();
    expect(membership.isMember()).to.equal(false);
    expect(membership.generation()).not.to.equal(generation);
  });
});
