import { spawn } from "node:child_process";
import { once } from "node:events";
import { expect } from "chai";
import { after, before, it } from "mocha";
import { createAuthenticateClient } from "../../api/oauth/authenticate-client.ts";
import { OauthError } from "../../api/oauth/oauth-error.ts";
import { verifyAudit } from "../../shared/audit/verify-audit.ts";
import { silentLog } from "../../shared/log.ts";
import { connectMongo } from "../../shared/mongo/database.ts";
import { createPlatform } from "../../shared/platform.ts";
import type { Database } from "../../shared/ports/database.ts";
import { dropMongoDatabase } from "../support/drop-mongo-database.ts";
import { describeWithServices, freshNamespace } from "../support/services.ts";

interface Output {
  readonly code: unknown;
  readonly stdout: string;
  readonly stderr: string;
}

describeWithServices("the command clients", ["mongo"], ({ mongoUrl }) => {
  const namespace = freshNamespace();
  const platform = createPlatform();
  let database: Database;

  before(async () => {
    database = await connectMongo({ url: mongoUrl, namespace, log: silentLog, ...platform });
  });
  after(async () => {
    await database.close();
    await dropMongoDatabase(mongoUrl, namespace);
  });

  async function run(...args: string[]): Promise<Output> {
    const child = spawn(process.execPath, ["--import", "tsx", "api/clients/main.ts", ...args], {
      env: { PATH: process.env["PATH"], MONGO_URL: mongoUrl, NAMESPACE: namespace },
      stdio: ["ignore", "pipe", "pipe"],
    });
    const read = { stdout: "", stderr: "" };
    child.stdout.on("data", (chunk) => void (read.stdout += String(chunk)));
    child.stderr.on("data", (chunk) => void (read.stderr += String(chunk)));
    const [code] = await once(child, "close");
    return { code, ...read };
  }

  async function isTaken(id: string, secret: string): Promise<boolean> {
    const noteFailure = () => undefined;
    const deps = { ...platform, ...database, audiences: [], clockToleranceSeconds: 5, noteFailure };
    try {
      await createAuthenticateClient(deps)(
        { method: "client_secret_basic", id, secret },
        { address: "192.0.2.1", requestId: "r" },
      );
      return true;
    } catch (error) {
      if (error instanceof OauthError) return false;
      throw error;
    }
  }

  it("creates, lists and deletes a client, of whose secret it keeps a hash", async () => {
    const created = await run(
      "create",
      "a gateway",
      "--role",
      "operator",
      "--source",
      "/a",
      "--source",
      "/b",
      "--json",
    );
    expect(created.code, created.stderr).to.equal(0);
    const { client_id: id, client_secret: secret } = JSON.parse(created.stdout);
    expect(await isTaken(id, secret)).to.equal(true);
    expect(await isTaken(id, `${secret}x`)).to.equal(false);
    expect(JSON.stringify(await database.clients.findClient(id))).to.not.include(secret);

    const [listed] = (await run("list", "--json")).stdout.trim().split("\n");
    expect(JSON.parse(listed ?? "")).to.include({ client_id: id, name: "a gateway", status: "active" });
    expect((await run("list")).stdout)
      .to.include("operator  /a,/b")
      .and.not.include(secret);

    const deleted = await run("delete", id);
    expect([deleted.code, deleted.stdout.slice(0, 7)], deleted.stderr).to.deep.equal([0, "deleted"]);
    expect(await isTaken(id, secret)).to.equal(false);
    const [waiting] = await database.users.listOutbox(10);
    expect(waiting?.event).to.include({ type: "user.deleted", subject: id });
    expect((await run("list")).stdout).to.equal("");
    const told = await database.audit.list({ limit: 10, actor: "npm run clients" });
    expect(told.map(({ action, process: by, chain }) => [action, by, typeof chain])).to.have.deep.members([
      ["client.created", "command", "string"],
      ["user.deleted", "command", "string"],
      ["client.deleted", "command", "string"],
    ]);
    const verified = await verifyAudit(database.audit, { nowMs: Date.now(), retentionMs: 86_400_000 });
    expect(verified.findings).to.deep.equal([]);
  });

  it("says what is wrong, and changes nothing", async () => {
    const faults: [args: string[], line: RegExp][] = [
      [["delete", "00000000-0000-4000-8000-000000000000"], /^error: There is no client of this id\.\n$/],
      [["create", "x", "--role", "admin"], /Allowed choices are operator, emitter/],
      [["create", "x\u0007"], /^error: A client's name has 1 to 128 characters/],
      [["create", "x", "--public-keys", "/nowhere"], /cannot read \/nowhere/],
      [["create", "x", "--public-keys", "package.json"], /it is not a JWK Set/],
    ];
    for (const [args, line] of faults) {
      const { code, stdout, stderr } = await run(...args);
      expect([code, stdout], args.join(" ")).to.deep.equal([1, ""]);
      expect(stderr).to.match(line);
    }
    expect(await database.clients.listClients({ limit: 9 })).to.deep.equal([]);
  });
});
