import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { describe, it } from "mocha";
import { generateJwks } from "../../api/keys/generate-jwks.ts";
import { administrator } from "../support/fleet.ts";
import { createApiWorld } from "../support/test-api.ts";

const runApi = (environment: Record<string, string>) => runNode(["api/main.ts"], environment);

async function runNode(given: readonly string[], environment: Record<string, string>) {
  const child = spawn(process.execPath, ["--import", "tsx", ...given], {
    env: { PATH: process.env["PATH"] ?? "", ...environment },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr])
    stream.on("data", (chunk) => void (output += String(chunk)));
  const [code]: unknown[] = await once(child, "close");
  return { code, output };
}

describe("api: process", () => {
  it("exits with 78 and names every setting that is not valid, without a secret", async () => {
    const { code, output } = await runApi({
      PORT: "abc",
      TOKEN_LIFETIME_SECONDS: "-1",
      ADMIN_PASSWORD: "canary",
    });
    expect(code).to.equal(78);
    for (const name of ["MONGO_URL", "REDIS_URL", "KAFKA_BROKERS", "PORT", "TOKEN_LIFETIME_SECONDS"])
      expect(output).to.include(name);
    expect(output).to.include("SIGNING_KEYS_FILE").and.not.include("canary");
  });

  it("exits with 78, and the embedded system does, for a policy of a route that there is not", async () => {
    const urls = { MONGO_URL: "mongodb://h/", REDIS_URL: "redis://h", KAFKA_BROKERS: "h:1" };
    const given = { ...urls, SIGNING_KEYS_FILE: "none", ROUTE_POLICIES: "/mee=best_effort" };
    for (const entry of ["api/main.ts", "embedded/main.ts"]) {
      const { code, output } = await runNode([entry], given);
      expect(output, entry).to.include("- ROUTE_POLICIES names /mee: no route that wants a token; those are");
      expect(code, entry).to.equal(78);
    }
  });

  it("exits with 78 and the sentence for a fault of the settings that shows while it runs", async () => {
    const script = `
      import { AppError } from "./shared/errors.ts";
      import { runUntilSignal } from "./shared/run-until-signal.ts";
      import { silentLog } from "./shared/log.ts";
      import { createPlatform } from "./shared/platform.ts";
      const closed = Promise.reject(new AppError("config-invalid", "- ADMIN_EMAIL belongs to somebody else."));
      const running = { closed, open: [], close: () => Promise.resolve() };
      await runUntilSignal({ ...createPlatform(), running, graceMs: 1_000, log: silentLog, process });`;
    const { code, output } = await runNode(["--input-type=module", "--eval", script], {});
    expect(output).to.include("- ADMIN_EMAIL belongs to somebody else.");
    expect(code).to.equal(78);
  });

  it("ends with a fault of the settings when ADMIN_EMAIL belongs to a user who is no administrator", async () => {
    const world = await createApiWorld();
    await world.connectParts().database.users.create({
      id: "7a0b8f0e-2f7d-4a53-8a43-1b2f0a6f4c55",
      email: administrator.email,
      passwordHash: "",
      roles: ["user"],
      externalIds: [],
      createdAtMs: 0,
    });
    const { api } = await world.listen();
    const ended = await api.closed.catch((error: unknown) => error);
    expect(ended).to.include({ code: "config-invalid" });
    await world.close().catch(() => undefined);
  });

  it("exits with 78 for an address that only the client library can tell to be none", async () => {
    const folder = mkdtempSync(join(tmpdir(), "quash-api-"));
    const SIGNING_KEYS_FILE = join(folder, "keys.json");
    writeFileSync(SIGNING_KEYS_FILE, await generateJwks("ES256"));

    const { code, output } = await runApi({
      SIGNING_KEYS_FILE,
      MONGO_URL: "mongodb://127.0.0.1:1/?nonsense=true",
      REDIS_URL: "redis://127.0.0.1:1",
      KAFKA_BROKERS: "127.0.0.1:1",
    });

    rmSync(folder, { recursive: true });
    expect(code, output).to.equal(78);
    expect(output).to.include("MONGO_URL");
  });
});
