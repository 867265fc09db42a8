import { execFile } from "node:child_process";
import { copyFile, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect } from "chai";
import { after, before, it } from "mocha";
import { createClient } from "../support/client.ts";
import { eventually } from "../support/eventually.ts";
import { type ApiProcess, createFleet, type Fleet } from "../support/fleet.ts";
import { describeWithServices, freshNamespace } from "../support/services.ts";

const run = promisify(execFile);

describeWithServices("a signing key that is compromised", ["mongo", "redis", "kafka"], (services) => {
  const namespace = freshNamespace();
  let fleet: Fleet;
  let folder: string;
  let staleFile: string;
  let informed: ApiProcess;
  let stale: ApiProcess;

  before(async function () {
    this.timeout(90_000);
    fleet = await createFleet({ ...services, namespace });
    folder = await mkdtemp(join(tmpdir(), "quash-stale-"));
    staleFile = join(folder, "keys.json");
    await keys("rotate");
    await copyFile(fleet.keysFile, staleFile);
    [informed, stale] = await Promise.all([
      fleet.startApi(),
      fleet.startApi({ settings: { SIGNING_KEYS_FILE: staleFile } }),
      fleet.startWorker(),
    ]);
  });
  after(async function () {
    this.timeout(30_000);
    await fleet?.close();
    await rm(folder, { recursive: true, force: true });
  });

  const keys = (...args: string[]) =>
    run(process.execPath, ["--import", "tsx", "api/keys/main.ts", ...args, "--file", fleet.keysFile]);
  const partOf = (token: string, at: 0 | 1) =>
    JSON.parse(Buffer.from(token.split(".")[at] ?? "", "base64url").toString());
  const kidOf = (token: string): string => String(partOf(token, 0)["kid"]);
  const jtiOf = (token: string): string => String(partOf(token, 1)["jti"]);

  it("is refused by a process that never reads the new file, which the receipt of the command proves", async function () {
    this.timeout(60_000);
    const [one, two] = [createClient(informed.url), createClient(stale.url)];
    const old = await two.signIn();
    expect(await Promise.all([one.statusOf(old), two.statusOf(old)])).to.deep.equal([200, 200]);

    const { stderr } = await keys("compromise", kidOf(old));
    informed.child.kill("SIGHUP");
    await eventually(async () => expect(await two.statusOf(old)).to.equal(401), { timeoutMs: 15_000 });
    expect(await one.statusOf(old)).to.equal(401);

    const young = await two.signIn();
    expect(kidOf(young)).not.to.equal(kidOf(old));
    const explained = (await two.call(`/tokens/${jtiOf(old)}/explain`, { token: young })).body;
    expect(explained).to.include({ verdict: "refused", code: "key-unknown", rule: "signing-key" });
    expect(explained["token"]).to.include({ kid: kidOf(old) });
    expect(explained["event"]).to.include({ reason: "the signing key is compromised" });
    const [, path = ""] = /GET (\S+) /.exec(stderr) ?? [];
    await eventually(
      async () => {
        const { body } = await one.call(path, { token: young });
        expect(body).to.include({ status: "enforced" });
        expect(body["instances"]).to.have.length(2);
      },
      { timeoutMs: 20_000 },
    );
  });

  it("is refused by a process that starts afterwards with the old file", async function () {
    this.timeout(60_000);
    const late = await fleet.startApi({ settings: { SIGNING_KEYS_FILE: staleFile } });
    const token = await createClient(late.url).signIn();
    expect(await createClient(informed.url).statusOf(token)).to.equal(200);
  });
});
