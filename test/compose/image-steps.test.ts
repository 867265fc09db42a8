import { spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { expect } from "chai";
import { after, before, describe, it } from "mocha";
import { named, readStages, type Stage } from "./dockerfile.ts";

const context = fileURLToPath(new URL("../..", import.meta.url));
const twoMinutes = 120_000;

describe("the image, built natively by the steps of the Dockerfile", () => {
  const folder = mkdtempSync(path.join(tmpdir(), "quash-image-"));
  const buildApp = path.join(folder, "build", "app");
  const app = path.join(folder, "image", "app");
  const [build, image] = readStages();

  before(function () {
    this.timeout(2 * twoMinutes);
    if (build === undefined || image === undefined) throw new Error("the Dockerfile has two stages");
    runBuildStage(build, buildApp);
    copyIntoImage(image, buildApp, app);
  });

  after(() => rmSync(folder, { recursive: true, force: true }));

  const runInImage = (args: readonly string[], env: Readonly<Record<string, string>> = {}) =>
    spawnSync(process.execPath, args, { cwd: app, encoding: "utf8", timeout: 20_000, env });

  it("holds no sources", () => {
    const sources = filesOf(app).filter(
      (file) => /\.[cm]?ts$/.test(file) && !file.startsWith("node_modules/"),
    );
    expect(sources).to.deep.equal([]);
  });

  it("holds no development dependencies", () => {
    const manifest = readFileSync(path.join(context, "package.json"), "utf8");
    const { dependencies, devDependencies } = JSON.parse(manifest) as Manifest;
    const isThere = (name: string) => existsSync(path.join(app, "node_modules", name));
    expect(Object.keys(devDependencies).filter(isThere)).to.deep.equal([]);
    expect(Object.keys(dependencies).filter((name) => !isThere(name))).to.deep.equal([]);
  });

  for (const program of ["dist/api/main.js", "dist/workers/main.js"]) {
    it(`starts ${program}, which names the settings that are missing`, () => {
      const { status, stderr, stdout } = runInImage([program]);
      expect(stderr + stdout).to.contain("MONGO_URL");
      expect(status).to.equal(78);
    });
  }

  it("makes keys and the administrator's password at the first start, and keeps them", () => {
    const secrets = mkdtempSync(path.join(folder, "secrets-"));
    const firstStart = ["dist/api/keys/main.js", "first-start", "--dir", secrets];
    const first = runInImage(firstStart);
    expect(first.status, first.stderr).to.equal(0);
    const password = readFileSync(path.join(secrets, "admin-password"), "utf8").trim();
    expect(first.stdout).to.contain(password);
    const keys = readFileSync(path.join(secrets, "signing-keys.json"), "utf8");
    expect(runInImage(firstStart).status).to.equal(0);
    expect(readFileSync(path.join(secrets, "admin-password"), "utf8").trim()).to.equal(password);
    expect(readFileSync(path.join(secrets, "signing-keys.json"), "utf8")).to.equal(keys);
  });
});

interface Manifest {
  readonly dependencies: Readonly<Record<string, string>>;
  readonly devDependencies: Readonly<Record<string, string>>;
}

function runBuildStage(stage: Stage, to: string): void {
  for (const { name, rest } of stage.instructions) {
    if (name === "COPY") copy(rest, context, to);
    if (name === "RUN") runStep(rest, to);
  }
}

/** Its own RUN lines prepare folders outside the application's; those are not for this machine. */
function copyIntoImage(stage: Stage, buildApp: string, to: string): void {
  for (const rest of named(stage, "COPY")) {
    const [first = "", ...others] = rest.split(" ");
    if (first === "--from=build") copy(others.join(" ").replaceAll("/app/", ""), buildApp, to);
    else copy(rest, context, to);
  }
}

function copy(paths: string, from: string, to: string): void {
  const names = paths.split(/\s+/);
  const target = names.pop() ?? "";
  for (const name of names) {
    const destination = target.endsWith("/")
      ? path.join(to, target, path.basename(name))
      : path.join(to, target);
    cpSync(path.join(from, name), destination, { recursive: true });
  }
}

function runStep(command: string, cwd: string): void {
  const { PATH = "", HOME = "" } = process.env;
  const env = { PATH, HOME, npm_config_prefer_offline: "true" };
  const { status, stdout, stderr } = spawnSync("sh", ["-ec", command], {
    cwd,
    env,
    encoding: "utf8",
    timeout: twoMinutes,
  });
  if (status !== 0) throw new Error(`${command} ended with ${status}:\n${stdout}${stderr}`);
}

function filesOf(folder: string): readonly string[] {
  return readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((file) =>
    statSync(path.join(folder, file)).isFile(),
  );
}
