import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { afterEach, beforeEach, describe, it } from "mocha";
import { eventually } from "../support/eventually.ts";
import { freshJwk, type NamedJwk, setOf } from "../support/jwks.ts";
import { type NodeProcess, startNode } from "../support/node-process.ts";

describe("the file of the signing keys of a process", () => {
  let directory: string;
  let file: string;
  let one: NamedJwk;
  let two: NamedJwk;
  let api: NodeProcess | undefined;

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), "quash-keys-"));
    file = join(directory, "keys.json");
    [one, two] = await Promise.all([freshJwk("one"), freshJwk("two")]);
    await writeFile(file, setOf(one));
  });
  afterEach(async () => {
    api?.child.kill("SIGKILL");
    await api?.ended;
    await rm(directory, { recursive: true, force: true });
  });

  /** Its keys are to be had whatever is away. */
  async function start(entry: string, settings: Record<string, string> = {}): Promise<NodeProcess> {
    api = startNode([entry], {
      environment: { SIGNING_KEYS_FILE: file, PORT: "0", HOST: "127.0.0.1", LOG_LEVEL: "info", ...settings },
    });
    await api.untilLogged("api.listening");
    return api;
  }
  const nowhere = {
    MONGO_URL: "mongodb://127.0.0.1:1",
    REDIS_URL: "redis://127.0.0.1:1",
    KAFKA_BROKERS: "127.0.0.1:1",
  };

  async function published(running: NodeProcess): Promise<unknown[]> {
    const url = String(running.logged("api.listening")[0]?.["url"]);
    const answer = await fetch(`${url}/.well-known/jwks.json`);
    const { keys } = JSON.parse(await answer.text());
    return keys.map(({ kid }: NamedJwk) => kid);
  }

  it("is followed by an API instance by itself", async () => {
    const running = await start("api/main.ts", nowhere);
    expect(await published(running)).to.deep.equal(["one"]);
    await writeFile(file, setOf(one, two));
    await eventually(async () => expect(await published(running)).to.deep.equal(["one", "two"]), {
      timeoutMs: 15_000,
    });
  });

  it("is read at once after SIGHUP, which ends nobody, and a bad one changes nothing", async () => {
    const running = await start("api/main.ts", nowhere);
    await writeFile(file, setOf({ ...one, use: "enc" }));
    running.child.kill("SIGHUP");
    await running.untilLogged("keys.file-refused");
    expect(await published(running)).to.deep.equal(["one"]);
    expect(running.output()).not.to.include(String(one.d));
    await writeFile(file, setOf(two, one));
    running.child.kill("SIGHUP");
    await running.untilLogged("keys.changed");
    expect(running.logged("keys.changed")[0]).to.include({ signing: "two" });
  });

  it("is followed by npm start", async () => {
    const running = await start("embedded/main.ts");
    await writeFile(file, setOf(two, { ...one, "quash:compromised_at": "2026-01-15T12:00:00Z" }));
    running.child.kill("SIGHUP");
    await eventually(async () => expect(await published(running)).to.deep.equal(["two"]), {
      timeoutMs: 15_000,
    });
    expect(await readFile(file, "utf8")).to.include('"two"');
  });
});
