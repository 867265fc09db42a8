import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { describe, it } from "mocha";
import { generateJwks } from "../../api/keys/generate-jwks.ts";

async function runApi(environment: Record<string, string>) {
  const child = spawn(process.execPath, ["--import", "tsx", "api/main.ts"], {
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
