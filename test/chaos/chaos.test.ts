import { spawn } from "node:child_process";
import { once } from "node:events";
import { expect } from "chai";
import { it } from "mocha";
import { describeUnlessMissing, missingPrograms } from "../support/requirements.ts";
import { describeWithServices } from "../support/services.ts";

/** Its services are its own, as processes of this machine: those of the other suites must not be killed. */
describeWithServices("chaos", ["mongo", "redis", "kafka"], () => {
  describeUnlessMissing("for a minute", missingPrograms(["java", "python3", "redis-server"]), function () {
    this.timeout(360_000);

    it("breaks no promise, whatever is killed, suspended, wiped and cut", async () => {
      const faults = await expectKept(60);
      expect(faults.length).to.be.greaterThan(5);
      expect(faults).to.include.members([
        "disk-full",
        "kill kafka",
        "pause kafka",
        "kill worker",
        "kill api",
      ]);
      expect(faults.some((kind) => kind === "flushall" || kind === "restart-empty")).to.equal(true);
      expect(faults.some((kind) => kind.endsWith(" mongo"))).to.equal(true);
    });

    it("breaks no promise when Redis fails over and loses writes, and when two of it take writes at once", async () => {
      expect(await expectKept(75, "--sentinel")).to.include.members(["fail-over", "split"]);
    });
  });
});

/** The kinds of faults that there were. */
async function expectKept(seconds: number, ...args: string[]): Promise<string[]> {
  const { exitCode, report, progress } = await runChaos(["--seconds", String(seconds), ...args]);
  expect(exitCode, progress).to.equal(0);
  expect(report).to.include({ seconds, accepted_after_bound: 0, lost_events: 0, innocents_refused: 0 });
  for (const count of ["operations", "revoked_probes", "innocent_probes"] as const) {
    expect(report[count], count).to.be.greaterThan(0);
  }
  return Object.keys(Object(report["faults"]));
}

async function runChaos(args: readonly string[]) {
  const all = ["--import", "tsx", "test/chaos/main.ts", "--json", ...args];
  const child = spawn(process.execPath, all, { stdio: ["ignore", "pipe", "pipe"] });
  let [output, progress] = ["", ""];
  child.stdout.setEncoding("utf8").on("data", (text: string) => (output += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => (progress += text));
  await once(child, "close");
  const report: Record<string, unknown> = output === "" ? {} : JSON.parse(output);
  return { exitCode: child.exitCode, report, progress };
}
