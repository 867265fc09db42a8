import { expect } from "chai";
import { beforeEach, describe, it } from "mocha";
import { createKeyWatch, type KeyWatch } from "../../../api/keys/key-watch.ts";
import { freshJwk, setOf } from "../../support/jwks.ts";
import { createManualPlatform, type ManualPlatform } from "../../support/manual-clock.ts";
import { createRecordingLog } from "../../support/recording-log.ts";

const lookMs = 2_000;

describe("watching the file of the signing keys", () => {
  let platform: ManualPlatform;
  let log: ReturnType<typeof createRecordingLog>;
  let file: string | Error;
  let watch: KeyWatch;
  let heard: string[];
  let one: string;
  let two: string;

  beforeEach(async () => {
    platform = createManualPlatform();
    log = createRecordingLog();
    [one, two] = [setOf(await freshJwk("one")), setOf(await freshJwk("two"))];
    file = one;
    heard = [];
    watch = createKeyWatch({
      path: "keys.json",
      readFile: () => (file instanceof Error ? Promise.reject(file) : Promise.resolve(file)),
      timers: platform.timers,
      log,
    });
  });

  const subscribe = () =>
    watch.subscribe({
      onKeys: ({ signing }) => heard.push(signing.kid),
      onRefused: () => heard.push("refused"),
    });
  /** Keys are imported by the thread pool, which the manual clock does not wait for. */
  async function look(times = 1): Promise<void> {
    for (let time = 0; time < times; time += 1) {
      await platform.advance(lookMs);
      await watch.settled();
      await platform.settle();
    }
  }

  it("tells of each new text once", async () => {
    subscribe();
    await look(2);
    file = two;
    await look(2);
    expect(heard).to.deep.equal(["one", "two"]);
  });

  it("looks at once when it is asked, and at nothing while nobody listens", async () => {
    const stop = subscribe();
    await watch.reload();
    stop();
    file = two;
    await look(3);
    expect(heard).to.deep.equal(["one"]);
  });

  it("tells of a bad file once, with the reason and without what is in it, and takes the next good one", async () => {
    subscribe();
    file = one.replace('"kty":"EC"', '"kty":"oct","k":"canary"');
    await look(4);
    expect(heard).to.deep.equal(["refused"]);
    expect(log.text()).to.include("symmetric").and.include("keys.json").and.not.include("canary");
    file = two;
    await look();
    expect(heard).to.deep.equal(["refused", "two"]);
    expect(log.text()).to.include("keys.file-good-again");
  });

  it("says nothing of a file that is being written, and is whole at the next look", async () => {
    subscribe();
    file = one.slice(0, 40);
    await look();
    file = one;
    await look();
    expect(heard).to.deep.equal(["one"]);
  });

  it("tells of a file that cannot be read", async () => {
    subscribe();
    await look();
    file = Object.assign(new Error("gone"), { code: "ENOENT" });
    await look(3);
    expect(heard).to.deep.equal(["one", "refused"]);
    expect(log.text()).to.include("ENOENT");
  });

  it("refuses a bad file at once, and each time, when it is asked", async () => {
    subscribe();
    file = "{";
    await watch.reload();
    await watch.reload();
    expect(heard).to.deep.equal(["refused", "refused"]);
  });
});
