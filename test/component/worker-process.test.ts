import { spawn } from "node:child_process";
import { once } from "node:events";
import { expect } from "chai";
import { describe, it } from "mocha";

async function runWorker(environment: Record<string, string>) {
  const child = spawn(process.execPath, ["--import", "tsx", "workers/main.ts"], {
    env: { PATH: process.env["PATH"] ?? "", ...environment },
    stdio: ["ignore", "ignore", "pipe"],
  });
  let stderr = "";
  child.stderr.on("data", (chunk: Buffer) => (stderr += chunk.toString()));
  const [code] = (await once(child, "close")) as [number | null];
  return { code, stderr };
}

describe("worker: process", () => {
  it("exits with 78 and names every setting that is not valid", async () => {
    const { code, stderr } = await runWorker({ REDIS_URL: "http://wrong", HEALTH_PORT: "many" });
    expect(code).to.equal(78);
    expect(stderr).to.include("MONGO_URL").and.include("REDIS_URL").and.include("KAFKA_BROKERS");
    expect(stderr).to.include("HEALTH_PORT");
  });
});
