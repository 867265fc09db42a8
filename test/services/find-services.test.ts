import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { expect } from "chai";
import { describe, it } from "mocha";
import { findServices } from "./find-services.ts";

const given = { MONGO_URL: "mongodb://m:1", REDIS_URL: "redis://r:2", KAFKA_BROKERS: "k:3" };
const fixtures = fileURLToPath(new URL("fixtures", import.meta.url));

describe("finding the services", () => {
  it("takes the addresses that are given", async () => {
    const found = await findServices(given);
    expect(found).to.include({ mongoUrl: "mongodb://m:1", redisUrl: "redis://r:2", kafkaBrokers: "k:3" });
  });

  it("wants all three addresses, or none", async () => {
    const { REDIS_URL: _, ...two } = given;
    const failure: unknown = await findServices(two).catch((error: unknown) => error);
    expect(failure).to.be.an("error").with.property("message").that.contains("REDIS_URL");
  });

  it("uses a container engine that answers, once, and takes down what it started", () => {
    const folder = mkdtempSync(path.join(tmpdir(), "quash-docker-"));
    const { PATH = "", HOME = "" } = process.env;
    const env = { PATH: `${fixtures}:${PATH}`, HOME, FAKE_DOCKER: folder, QUASH_SERVICES_DIR: folder };
    const script = path.join(fixtures, "find-twice.ts");
    const { stdout, stderr } = spawnSync(process.execPath, ["--import", "tsx", script], {
      encoding: "utf8",
      env,
    });
    const calls = readFileSync(path.join(folder, "calls"), "utf8");
    rmSync(folder, { recursive: true, force: true });
    const [first, second] = JSON.parse(stdout || stderr) as [Record<string, string>, Record<string, string>];
    expect(first["mongoUrl"]).to.match(/^mongodb:\/\/127\.0\.0\.1:\d+$/);
    expect(second).to.deep.equal(first);
    expect(calls.match(/ up --detach --wait$/gm)).to.have.lengthOf(1);
    expect(calls.match(/ down --volumes/g)).to.have.lengthOf(1);
  });
});
