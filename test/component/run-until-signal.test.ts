import { expect } from "chai";
import { afterEach, describe, it } from "mocha";
import { type NodeProcess, startNode } from "../support/node-process.ts";

/** Its second part never ends. `running` is what the steps make of it. */
const hangingScript = (graceMs: number, steps: string) => `
  import { createClosers, createEnding, startRunning } from "./shared/lifecycle.ts";
  import { AppError } from "./shared/errors.ts";
  import { createLog } from "./shared/log.ts";
  import { createPlatform } from "./shared/platform.ts";
  import { runUntilSignal } from "./shared/run-until-signal.ts";
  const log = createLog({ level: "info", name: "test" });
  const closers = createClosers(log);
  setInterval(() => undefined, 1_000);
  closers.add("the first part", () => undefined);
  closers.add("the slow part", () => new Promise(() => undefined));
  ${steps}
  setImmediate(() => log.info("listening"));
  await runUntilSignal({ ...createPlatform(), running, graceMs: ${graceMs}, log, process });`;

const untilClosed = "const running = createEnding(closers);";
const untilFailed = `${untilClosed} setImmediate(() => running.fail(new Error("crashed")));`;
const failedStart = `const start = () => Promise.reject(new Error("crashed"));
  const running = startRunning({ closers, start });`;
const invalidStart = `const start = () => Promise.reject(new AppError("config-invalid", "- X."));
  const running = startRunning({ closers, start });`;
const endlessStart = `const start = () => new Promise(() => undefined);
  const running = startRunning({ closers, start });`;

describe("a process that does not end", () => {
  const parts = ["the slow part", "the first part"];
  let running: NodeProcess | undefined;
  afterEach(() => running?.child.kill("SIGKILL"));

  function run(graceMs: number, steps: string): NodeProcess {
    running = startNode(["--input-type=module", "--eval", hangingScript(graceMs, steps)]);
    return running;
  }
  const gaveUp = (one: NodeProcess) =>
    one.logged("process.gave-up").map((line) => [line["why"], line["still_open"]]);

  for (const [why, graceMs, signals] of [
    ["not closed within 300 ms", 300, 1],
    ["second SIGTERM", 60_000, 2],
  ] as const) {
    it(`exits with 1 and names what is still open: ${why}`, async () => {
      const one = run(graceMs, untilClosed);
      await one.untilLogged("listening");
      one.child.kill("SIGTERM");
      if (signals === 2) {
        await one.untilLogged("process.draining");
        const again = setInterval(() => one.child.kill("SIGTERM"), 100);
        void one.ended.finally(() => clearInterval(again));
      }

      expect(await one.ended, one.output()).to.equal(1);
      expect(gaveUp(one)).to.deep.equal([[why, parts]]);
    });
  }

  for (const [what, steps, event, code] of [
    ["it ended by itself", untilFailed, "process.ended", 1],
    ["its start failed", failedStart, "process.start-failed", 1],
    ["its settings turned out not to be valid", invalidStart, "listening", 78],
  ] as const) {
    it(`exits with ${code} and names what is still open, without a signal: ${what}`, async () => {
      const one = run(300, steps);
      await one.untilLogged(event);
      expect(await one.ended, one.output()).to.equal(code);
      expect(gaveUp(one)).to.deep.equal([["not closed within 300 ms", parts]]);
    });
  }

  it("names its start where that is what does not end", async () => {
    const one = run(300, endlessStart);
    await one.untilLogged("listening");
    one.child.kill("SIGTERM");
    expect(await one.ended, one.output()).to.equal(1);
    expect(gaveUp(one)).to.deep.equal([["not closed within 300 ms", ["start", ...parts]]]);
  });
});

describe("a process whose log nobody takes any more", () => {
  const script = `
    import { createClosers, createEnding } from "./shared/lifecycle.ts";
    import { createLog } from "./shared/log.ts";
    import { createPlatform } from "./shared/platform.ts";
    import { runUntilSignal } from "./shared/run-until-signal.ts";
    const lost = new AbortController();
    const log = createLog({ level: "info", name: "test", onLost: (error) => lost.abort(error) });
    const closers = createClosers(log);
    const ticking = setInterval(() => log.info("tick"), 20);
    closers.add("the ticking", () => { log.info("closing"); clearInterval(ticking); });
    const running = createEnding(closers);
    const platform = createPlatform();
    await runUntilSignal({ ...platform, running, graceMs: 60_000, log, logLost: lost.signal, process });`;
  let running: NodeProcess | undefined;
  afterEach(() => running?.child.kill("SIGKILL"));

  it("drains, tells standard error what it still has to say, and exits with 1", async () => {
    const one = startNode(["--input-type=module", "--eval", script]);
    running = one;
    await one.untilLogged("tick");
    one.child.stdout?.destroy();
    expect(await one.ended, one.output()).to.equal(1);
    expect(one.logged("process.log-lost").map(({ err }) => err)).to.have.nested.property("[0].code", "EPIPE");
    const after = one.logged().map(({ event }) => event);
    expect(after.slice(after.indexOf("process.log-lost"))).to.deep.equal([
      "process.log-lost",
      "closing",
      "process.stopped",
    ]);
  });
});
