import { expect } from "chai";
import { beforeEach, describe, it } from "mocha";
import { createToldLately, type ToldLately } from "../../../shared/redis/told-lately.ts";
import { createManualPlatform, type ManualPlatform } from "../../support/manual-clock.ts";

describe("createToldLately", () => {
  let platform: ManualPlatform;
  let told: ToldLately;

  beforeEach(() => {
    platform = createManualPlatform();
    told = createToldLately(platform.clock);
  });

  it("takes a name for news once a minute", async () => {
    expect(told.isNews("tokens:1")).to.equal(true);
    await platform.advance(59_000);
    expect(told.isNews("tokens:1")).to.equal(false);
    await platform.advance(1_000);
    expect(told.isNews("tokens:1")).to.equal(true);
  });

  it("takes for news again what was forgotten", () => {
    told.isNews("tokens:1");
    told.forget("tokens:1");
    expect(told.isNews("tokens:1")).to.equal(true);
  });

  it("takes no more than 1,000 names for news in a minute, and others in the next one", async () => {
    const count = () =>
      Array.from({ length: 1_500 }, (_, n) => told.isNews(`tokens:${n}`)).filter(Boolean).length;
    expect(count()).to.equal(1_000);
    expect(told.isNews("cut-offs:1")).to.equal(false);
    await platform.advance(60_000);
    expect(told.isNews("cut-offs:1")).to.equal(true);
    expect(count()).to.equal(999);
  });
});
