import { spawn } from "node:child_process";
import { once } from "node:events";
import { expect } from "chai";
import { it } from "mocha";
import { describeUnlessMissing, missingPrograms } from "../support/requirements.ts";
import { describeWithServices } from "../support/services.ts";

const seconds = 60;

/** Its services are its own, as processes of this machine: those of the other suites must not be killed. */
describeWithServices("chaos", ["mongo", "redis", "kafka"], () => {
  describeUnlessMissing("for a minute", missingPrograms(["java", "python3", "redis-server"]), () => {
    it("breaks no promise, whatever is killed, suspended, wiped and cut", async function () {
      this.timeout(360_000);
      const { exitCode, report, progress } = await runChaos();
      expect(exitCode, progress).to.equal(0);
      expect(report).to.include({ seconds, accepted_after_bound: 0, lost_events: 0, innocents_refused: 0 });
      for (const count of ["operations", "revoked_probes", "innocent_probes"] as const) {
        expect(report[count], count).to.be.greaterThan(0);
      }
      expect(Object.keys(Object(report["faults"]))).to.have.length.greaterThan(5);
    });
  });
});

async function runChaos() {
  const args = ["--import", "tsx", "test/chaos/main.ts", "--json", "--seconds", String(seconds)];
  const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "pipe"] });
  let [output, progress] = ["", ""];
  child.stdout.setEncoding("utf8").on("data", (text: string) => (output += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => (progress += text));
  await once(child, "close");
  const report: Record<string, unknown> = output === "" ? {} : JSON.parse(output);
  return { exitCode: child.exitCode, report, progress };
}
