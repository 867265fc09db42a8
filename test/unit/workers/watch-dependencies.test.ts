import { expect } from "chai";
import { afterEach, beforeEach, describe, it } from "mocha";
import { type DependencyWatch, watchDependencies } from "../../../workers/watch-dependencies.ts";
import { createManualPlatform, type ManualPlatform } from "../../support/manual-clock.ts";

describe("watchDependencies", () => {
  let platform: ManualPlatform;
  let watch: DependencyWatch;
  let isThere: () => Promise<boolean>;
  let questions: number;

  beforeEach(async () => {
    platform = createManualPlatform();
    questions = 0;
    isThere = () => Promise.resolve(true);
    const store = {
      missing: "the store does not answer",
      isThere() {
        questions += 1;
        return isThere();
      },
    };
    watch = watchDependencies({ store }, platform);
    await platform.settle();
  });
  afterEach(() => watch.close());

  const unavailable = (since: string) => ({
    status: "unavailable",
    detail: "the store does not answer",
    since,
  });

  it("says that nothing is missing", async () => {
    expect(await watch.look()).to.deep.equal({ store: { status: "ok", detail: null, since: null } });
  });

  for (const [how, answer] of [
    ["says no", () => Promise.resolve(false)],
    ["fails", () => Promise.reject(new Error("away"))],
  ] as const) {
    it(`says since when a dependency is missing that ${how}, though nobody asked then`, async () => {
      isThere = answer;
      await platform.advance(30_000);

      expect(await watch.look()).to.deep.equal({ store: unavailable("2026-01-15T12:00:01.000Z") });
    });
  }

  it("counts from the start what has never been there, and anew what went again", async () => {
    isThere = () => Promise.resolve(false);
    const late = watchDependencies({ store: { missing: "the store does not answer", isThere } }, platform);
    await platform.advance(5_000);
    expect(await late.look()).to.deep.equal({ store: unavailable("2026-01-15T12:00:00.000Z") });
    late.close();

    isThere = () => Promise.resolve(true);
    await platform.advance(1_000);
    isThere = () => Promise.resolve(false);
    await platform.advance(1_000);
    expect(await watch.look()).to.deep.equal({ store: unavailable("2026-01-15T12:00:07.000Z") });
  });

  it("asks nobody any more once it is closed", async () => {
    watch.close();
    await platform.settle();
    const before = questions;
    await platform.advance(10_000);
    expect(questions).to.equal(before);
  });
});
