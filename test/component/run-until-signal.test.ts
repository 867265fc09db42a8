import { expect } from "chai";
import { afterEach, describe, it } from "mocha";
import { type NodeProcess, startNode } from "../support/node-process.ts";

/** Its second part never ends. */
const hangingScript = (graceMs: number) => `
  import { createClosers, createEnding } from "./shared/lifecycle.ts";
  import { createLog } from "./shared/log.ts";
  import { createPlatform } from "./shared/platform.ts";
  import { runUntilSignal } from "./shared/run-until-signal.ts";
  const log = createLog({ level: "info", name: "test" });
  const closers = createClosers(log);
  setInterval(() => undefined, 1_000);
  closers.add("the first part", () => undefined);
  closers.add("the slow part", () => new Promise(() => undefined));
  const running = createEnding(closers);
  setImmediate(() => log.info("listening"));
  await runUntilSignal({ ...createPlatform(), running, graceMs: ${graceMs}, log, process });`;

describe("a process that does not end", () => {
  let running: NodeProcess | undefined;
  afterEach(() => running?.child.kill("SIGKILL"));

  for (const [why, graceMs, signals] of [
    ["not closed within 300 ms", 300, 1],
    ["second SIGTERM", 60_000, 2],
  ] as const) {
    it(`exits with 1 and names what is still open: ${why}`, async () => {
      const one = startNode(["--input-type=module", "--eval", hangingScript(graceMs)]);
      running = one;
      await one.untilLogged("listening");
      one.child.kill("SIGTERM");
      if (signals === 2) {
        await one.untilLogged("process.draining");
        const again = setInterval(() => one.child.kill("SIGTERM"), 100);
        void one.ended.finally(() => clearInterval(again));
      }

      expect(await one.ended, one.output()).to.equal(1);
      const told = one.logged("process.gave-up").map((line) => [line["why"], line["still_open"]]);
      expect(told).to.deep.equal([[why, ["the slow part", "the first part"]]]);
    });
  }
});
