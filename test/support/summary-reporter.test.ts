import { spawnSync } from "node:child_process";
import { expect } from "chai";
import { describe, it } from "mocha";

describe("the end of a test run", () => {
  it("is a line with the counts", () => {
    const { lastLine, status } = runFixture("mixed");
    expect(lastLine).to.equal("1 passed, 1 failed, 1 skipped");
    expect(status).to.equal(1);
  });

  it("fails and names what is open when a suite leaks", () => {
    const { lastLine, output, status } = runFixture("leaky", { QUASH_TEST_LEAK_GRACE_MS: "200" });
    expect(output).to.match(/still open: .*TCPServerWrap/);
    expect(lastLine).to.equal("1 passed, 1 failed");
    expect(status).to.equal(1);
  });

  it("comes at the deadline and names the test that was running", () => {
    const { lastLine, output, status } = runFixture("endless", { QUASH_TEST_DEADLINE_MS: "500" });
    expect(output).to.contain("it was at: never ends");
    expect(lastLine).to.equal("0 passed, 1 failed");
    expect(status).to.equal(1);
  });
});

function runFixture(name: string, settings: Record<string, string> = {}) {
  const { QUASH_TEST_RESULTS_FILE: _, ...env } = process.env;
  const args = ["node_modules/mocha/bin/mocha.js", "--spec", `test/support/fixtures/${name}.ts`];
  const { stdout, status } = spawnSync(process.execPath, args, {
    encoding: "utf8",
    env: { ...env, ...settings },
  });
  return { output: stdout, lastLine: stdout.trimEnd().split("\n").at(-1), status };
}
