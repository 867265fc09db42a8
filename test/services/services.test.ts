import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { expect } from "chai";
import { after, before, describe, it } from "mocha";
import { describeUnlessMissing, missingPrograms } from "../support/requirements.ts";
import { servicesFolder } from "./state.ts";

const programs = path.join(servicesFolder(process.env), "programs");
const installed = ["kafka-4.1.1", "secantusdb-0.7.0b3/installed"].every((file) =>
  existsSync(path.join(programs, file)),
);
const missing = [...missingPrograms(["java", "redis-server"]), ...(installed ? [] : ["downloaded services"])];

describeUnlessMissing("npm run services", missing, function () {
  this.timeout(120_000);
  const folder = mkdtempSync(path.join(tmpdir(), "quash-services-"));

  before(() => symlinkSync(programs, path.join(folder, "programs")));

  after(() => {
    run("stop", folder);
    rmSync(folder, { recursive: true, force: true });
  });

  it("starts all three, prints their addresses, and leaves nobody who holds its output", () => {
    const { status, stdout } = run("start", folder);
    expect(status).to.equal(0);
    expect(stdout).to.match(
      /^MONGO_URL=mongodb:\/\/127\.0\.0\.1:\d+\nREDIS_URL=redis:\/\/127\.0\.0\.1:\d+\nKAFKA_BROKERS=127\.0\.0\.1:\d+\n$/,
    );
  });

  it("starts nothing twice", () => {
    const before = pids(folder);
    const { stdout } = run("start", folder);
    expect(stdout).to.contain("KAFKA_BROKERS=");
    expect(pids(folder)).to.deep.equal(before);
  });

  it("makes a service anew that died and whose data is damaged, and leaves the others", () => {
    const before = pids(folder);
    process.kill(before["redis"] ?? 0, "SIGKILL");
    writeFileSync(path.join(folder, "data/redis/appendonlydir/appendonly.aof.manifest"), "damaged");
    expect(run("start", folder).status).to.equal(0);
    const { redis, ...others } = pids(folder);
    expect(redis).to.be.a("number").and.not.equal(before["redis"]);
    expect(others).to.deep.equal({ kafka: before["kafka"], mongo: before["mongo"] });
  });

  it("ends all that it started and keeps the downloads", () => {
    expect(run("stop", folder).status).to.equal(0);
    expect(run("status", folder).stdout).to.equal(
      "kafka: not running\nredis: not running\nmongo: not running\n",
    );
    expect(existsSync(path.join(folder, "data"))).to.equal(false);
    expect(existsSync(path.join(folder, "programs"))).to.equal(true);
  });
});

describe("npm run services, where nothing is installed", () => {
  it("names each prerequisite that is missing, and how to get it", () => {
    const folder = mkdtempSync(path.join(tmpdir(), "quash-services-"));
    const bin = path.join(folder, "bin");
    mkdirSync(bin);
    const { status, stdout, stderr } = run("start", folder, { PATH: bin });
    rmSync(folder, { recursive: true, force: true });
    expect([status, stdout]).to.deep.equal([1, ""]);
    expect(stderr).to.match(/java .*apt-get install openjdk/);
    expect(stderr).to.match(/mvn .*apt-get install maven/);
    expect(stderr).to.match(/redis-server .*apt-get install redis-server/);
    expect(stderr).to.match(/python3 .*apt-get install python3/);
  });

  it("says how it is used", () => {
    const { status, stderr } = run("begin", tmpdir());
    expect(status).to.equal(2);
    expect(stderr).to.contain("start|stop|status");
  });
});

function run(command: string, folder: string, env: Readonly<Record<string, string>> = {}) {
  return spawnSync(process.execPath, ["--import", "tsx", "test/services/main.ts", command], {
    encoding: "utf8",
    env: { ...process.env, QUASH_SERVICES_DIR: folder, ...env },
  });
}

function pids(folder: string): Readonly<Record<string, number>> {
  const { stdout } = run("status", folder);
  const lines = [...stdout.matchAll(/^(\w+): pid (\d+),/gm)];
  return Object.fromEntries(lines.map(([, name = "", pid]) => [name, Number(pid)]));
}
