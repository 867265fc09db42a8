import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { setImmediate as turn } from "node:timers/promises";
import { expect } from "chai";
import { afterEach, beforeEach, describe, it } from "mocha";
import { endProcess, isAlive, spawnDetached } from "./processes.ts";
import { withLock } from "./state.ts";

describe("what the services' commands remember", () => {
  let folder: string;

  beforeEach(() => {
    folder = mkdtempSync(path.join(tmpdir(), "quash-state-"));
  });

  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  it("lets one command at a time act", async () => {
    let inside = 0;
    let most = 0;
    const act = () =>
      withLock(folder, async () => {
        inside += 1;
        most = Math.max(most, inside);
        await turn();
        inside -= 1;
      });
    await Promise.all([act(), act(), act()]);
    expect(most).to.equal(1);
    expect(readdirSync(folder)).to.deep.equal([]);
  });

  it("takes over the lock of a command that died", async () => {
    const { pid } = spawnSync(process.execPath, ["-e", ""]);
    writeFileSync(path.join(folder, "lock"), JSON.stringify({ pid, startedAt: "1" }));
    expect(await withLock(folder, () => Promise.resolve("done"))).to.equal("done");
  });

  it("does not end a process that got the pid of an earlier one", async () => {
    const command = { command: process.execPath, args: ["-e", "setInterval(() => {}, 1000)"], cwd: folder };
    const running = await spawnDetached({ ...command, logFile: path.join(folder, "log") });
    await endProcess({ pid: running.pid, startedAt: "another time" });
    expect(isAlive(running)).to.equal(true);
    await endProcess(running);
    expect(isAlive(running)).to.equal(false);
  });
});
