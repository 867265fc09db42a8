import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { after, afterEach, before, describe, it } from "mocha";
import { generateJwks } from "../../api/keys/generate-jwks.ts";
import { eventually } from "../support/eventually.ts";
import { type NodeProcess, type NodeProcessOptions, startNode } from "../support/node-process.ts";

/** Nothing answers there: whatever is away, a process starts. */
const nobody = {
  MONGO_URL: "mongodb://127.0.0.1:9",
  REDIS_URL: "redis://127.0.0.1:9",
  KAFKA_BROKERS: "127.0.0.1:9",
  HOST: "127.0.0.1",
  PORT: "0",
  HEALTH_PORT: "0",
  NAMESPACE: "nobody",
};

const roles = [
  { entry: "api/main.ts", started: "api.listening" },
  { entry: "workers/main.ts", started: "worker.started" },
] as const;

const faults = [
  { event: "process.unhandled-rejection", act: 'Promise.reject(new Error("canary"))' },
  { event: "process.uncaught-exception", act: 'throw new Error("canary")' },
] as const;

describe("the life of a process", function () {
  this.timeout(60_000);
  let folder: string;
  const running: NodeProcess[] = [];

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), "quash-process-"));
    writeFileSync(join(folder, "keys.json"), await generateJwks("ES256"));
  });
  after(() => rmSync(folder, { recursive: true }));
  afterEach(async () => {
    for (const { child } of running) if (isAlive(child)) child.kill("SIGKILL");
    await Promise.all(running.splice(0).map(({ ended }) => ended));
  });

  const start = (entry: string, { environment = {}, ...options }: NodeProcessOptions = {}) => {
    const SIGNING_KEYS_FILE = join(folder, "keys.json");
    const one = startNode([entry], {
      ...options,
      environment: { ...nobody, SIGNING_KEYS_FILE, ...environment },
    });
    running.push(one);
    return one;
  };

  it("drains at a signal, and exits with 0", async () => {
    const both = roles.map(({ entry, started }) => ({ ...start(entry), started }));
    for (const one of both) await one.untilLogged(one.started);
    for (const { child } of both) child.kill("SIGTERM");

    for (const one of both) {
      expect(await one.ended, one.output()).to.equal(0);
      expect(one.logged("process.stopped")).to.have.length(1);
    }
  });

  it("closes what it has opened at a signal in the middle of its start, and exits with 0", async () => {
    const preload = `process.on("newListener", (name) => {
      if (name === "SIGTERM") process.kill(process.pid, "SIGTERM");
    });`;
    const environment = { LOG_LEVEL: "debug" };
    const both = roles.map(({ entry, started }) => ({ ...start(entry, { preload, environment }), started }));

    for (const one of both) {
      expect(await one.ended, one.output()).to.equal(0);
      expect(one.logged(one.started)).to.have.length(0);
      const closed = one.logged("lifecycle.closed").map(({ resource }) => resource);
      expect(closed).to.deep.equal(["kafka", "redis", "mongodb"]);
    }
  });

  it("exits with 1 and one line for what nobody catches, a rejection or an exception", async () => {
    const all = faults.map(({ event, act }) => {
      const preload = `process.on("SIGUSR2", () => { ${act}; });`;
      return { ...start("workers/main.ts", { preload }), event };
    });
    for (const one of all) await one.untilLogged("worker.started");
    for (const { child } of all) child.kill("SIGUSR2");

    for (const one of all) {
      expect(await one.ended, one.output()).to.equal(1);
      const told = one.output().split("\n");
      expect(told.filter((line) => line.includes("canary"))).to.have.length(1);
      expect(one.logged(one.event).map(({ level }) => level)).to.deep.equal(["error"]);
    }
  });

  it("refuses connections while it has no file left for them, and takes them again", async () => {
    const one = start("api/main.ts", { maxOpenFiles: 256 });
    await one.untilLogged("api.listening");
    const url = new URL(String(one.logged("api.listening")[0]?.["url"]));
    const sockets = Array.from({ length: 400 }, () => connect(Number(url.port), url.hostname));
    const ends = sockets.map((socket) =>
      once(
        socket.on("error", () => undefined),
        "close",
      ),
    );
    await Promise.race(ends);

    for (const socket of sockets) socket.destroy();
    await Promise.all(ends);
    await eventually(async () => expect((await fetch(new URL("/livez", url))).status).to.equal(200));
    expect(isAlive(one.child), one.output()).to.equal(true);
    expect(one.logged().filter(({ level }) => level === "error")).to.deep.equal([]);
  });

  it("exits with 1 and one line that names the address when that is taken", async () => {
    const other = createServer().listen(0, "127.0.0.1");
    await once(other, "listening");
    const address = other.address();
    const port = String(typeof address === "object" ? address?.port : "");
    const both = roles.map(({ entry }) => start(entry, { environment: { PORT: port, HEALTH_PORT: port } }));
    const codes = await Promise.all(both.map(({ ended }) => ended));
    other.close();

    expect(codes).to.deep.equal([1, 1]);
    for (const one of both) {
      const errors = one.logged().filter(({ level }) => level === "error");
      expect(errors.map(({ event }) => event)).to.deep.equal(["process.start-failed"]);
      expect(errors[0]).to.have.nested.property("err.message").that.includes(`127.0.0.1:${port}`);
    }
  });
});

function isAlive(child: ChildProcess): boolean {
  return child.exitCode === null && child.signalCode === null;
}
