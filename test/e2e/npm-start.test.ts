import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { connect } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { expect } from "chai";
import { afterEach, describe, it } from "mocha";
import { createClient } from "../support/client.ts";
import { eventually } from "../support/eventually.ts";

interface Started {
  readonly child: ChildProcess;
  readonly urls: readonly string[];
  readonly passwords: Readonly<Record<string, string>>;
  readonly output: () => string;
}

describe("npm start", function () {
  this.timeout(30_000);
  const groups = new Set<number>();

  afterEach(() => {
    for (const pid of groups) killGroup(pid, "SIGKILL");
    groups.clear();
  });

  async function start(settings: Record<string, string> = {}): Promise<Started> {
    const child = spawn("npm", ["start"], {
      detached: true,
      env: { PATH: process.env["PATH"], HOME: process.env["HOME"], PORT: "0", ...settings },
      stdio: ["ignore", "pipe", "pipe"],
    });
    if (child.pid === undefined) throw new Error("npm did not start");
    groups.add(child.pid);
    let output = "";
    for (const stream of [child.stdout, child.stderr])
      stream.on("data", (chunk) => void (output += String(chunk)));
    await eventually(() => expect(output).to.match(/\bready\b/), { timeoutMs: 20_000 });
    const passwords = Object.fromEntries(
      [...output.matchAll(/^\s*(\S+@example\.com) {2}(\S+)$/gm)].map(([, k, v]) => [k, v]),
    );
    const urls = [...new Set([...output.matchAll(/http:\/\/127\.0\.0\.1:\d+/g)].map(([url]) => url))];
    return { child, urls, passwords, output: () => output };
  }

  async function exitCodeAfter({ child }: Started, send: () => void): Promise<number | null> {
    const exited = once(child, "exit");
    send();
    const [code] = await exited;
    return code === null ? null : Number(code);
  }

  it("prints two addresses and three passwords, and lets one instance refuse whom the other deactivated", async () => {
    const started = await start();
    const [first = "", second = ""] = started.urls;
    expect(started.urls).to.have.length(2);
    expect(Object.keys(started.passwords)).to.have.members([
      "admin@example.com",
      "alice@example.com",
      "bob@example.com",
    ]);
    const one = createClient(first);
    const two = createClient(second);
    const alice = await two.signIn("alice@example.com", started.passwords["alice@example.com"]);
    const admin = await one.signIn("admin@example.com", started.passwords["admin@example.com"]);
    const { id } = (await two.call("/me", { token: alice })).body;

    const receipt = await one.call(`/users/${String(id)}/deactivate?wait=enforced`, {
      method: "POST",
      token: admin,
    });

    expect(receipt.status, JSON.stringify(receipt.body)).to.equal(200);
    expect([await one.statusOf(alice), await two.statusOf(alice)]).to.deep.equal([401, 401]);
    expect(await exitCodeAfter(started, () => started.child.kill("SIGTERM"))).to.equal(0);
  });

  it("says ready once, last", async () => {
    const started = await start();
    expect(started.output().match(/\bready\b/g)).to.have.length(1);
    expect(started.output().trimEnd().split("\n").at(-1)).to.match(/\bready\b/);
  });

  it("drains at a Ctrl-C, which reaches npm and its child alike", async () => {
    const started = await start();
    expect(await exitCodeAfter(started, () => killGroup(started.child.pid, "SIGINT"))).to.equal(0);
  });

  it("gives up at a second signal, more than a second after the first", async () => {
    const started = await start();
    const held = await holdRequestOpen(started.urls[0] ?? "");
    const code = await exitCodeAfter(started, () => {
      killGroup(started.child.pid, "SIGTERM");
      void delay(1_300).then(() => killGroup(started.child.pid, "SIGTERM"));
    });
    held.destroy();
    expect(code).to.equal(1);
  });

  it("takes the administrator from the settings", async () => {
    const started = await start({ ADMIN_EMAIL: "root@example.com", ADMIN_PASSWORD: "correct-horse-battery" });
    expect(started.passwords).to.include({ "root@example.com": "correct-horse-battery" });
    await createClient(started.urls[1] ?? "").signIn("root@example.com", "correct-horse-battery");
  });

  it("names every setting that is wrong, and exits with 78", async () => {
    const child = spawn("npm", ["start"], {
      env: { PATH: process.env["PATH"], HOME: process.env["HOME"], PORT: "x", LOG_LEVEL: "loud" },
      stdio: ["ignore", "pipe", "pipe"],
    });
    let output = "";
    for (const stream of [child.stdout, child.stderr])
      stream.on("data", (chunk) => void (output += String(chunk)));
    const [code] = await once(child, "close");
    expect(code).to.equal(78);
    expect(output)
      .to.match(/PORT is "x"/)
      .and.match(/LOG_LEVEL is "loud"/);
  });
});

function killGroup(pid: number | undefined, signal: NodeJS.Signals): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, signal);
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "ESRCH")) throw error;
  }
}

/** A request whose body never comes keeps the drain waiting. */
async function holdRequestOpen(url: string) {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  socket.on("error", () => socket.destroy());
  await once(socket, "connect");
  socket.write(
    `POST /auth/login HTTP/1.1\r\nHost: ${hostname}\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{`,
  );
  return socket;
}
