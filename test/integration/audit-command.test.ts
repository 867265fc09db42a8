import { expect } from "chai";
import { afterEach, beforeEach, it } from "mocha";
import mongoose from "mongoose";
import { appendToRegister } from "../../shared/audit/append-to-register.ts";
import { createAuditRecorder } from "../../shared/audit/audit-recorder.ts";
import { silentLog } from "../../shared/log.ts";
import { createMetrics } from "../../shared/metrics.ts";
import { connectMongo } from "../../shared/mongo/database.ts";
import { createPlatform } from "../../shared/platform.ts";
import type { Database } from "../../shared/ports/database.ts";
import { dropMongoDatabase } from "../support/drop-mongo-database.ts";
import { eventually } from "../support/eventually.ts";
import { startNode } from "../support/node-process.ts";
import { describeWithServices, freshNamespace } from "../support/services.ts";

describeWithServices("audit command on a real server", ["mongo"], ({ mongoUrl }) => {
  let namespace: string;
  let database: Database;
  let direct: mongoose.Connection;

  beforeEach(async () => {
    namespace = freshNamespace();
    const platform = createPlatform();
    database = await connectMongo({ url: mongoUrl, namespace, log: silentLog, ...platform });
    await database.migrate();
    direct = await mongoose.createConnection(mongoUrl, { dbName: namespace }).asPromise();
    for (const instanceId of ["i1", "i2"]) {
      const metrics = createMetrics({ withProcessMetrics: false });
      const deps = { ...platform, store: database.audit, instanceId, log: silentLog, metrics };
      const recorder = createAuditRecorder({ ...deps, process: "api" });
      for (const subject of ["u1", "u2", "u3"]) recorder.record({ action: "user.deactivated", subject });
      await recorder.close();
    }
  });
  afterEach(async () => {
    await direct.close();
    await database.close();
    await dropMongoDatabase(mongoUrl, namespace);
  });

  async function verify(...options: string[]) {
    const environment = { MONGO_URL: mongoUrl, NAMESPACE: namespace };
    const command = startNode(["workers/audit/main.ts", "verify", ...options], { environment });
    return { code: await command.ended, output: command.output() };
  }

  it("ends with 0 while all is whole, and with 1 and the place once somebody has changed a record", async () => {
    const whole = await verify();
    expect(whole.code, whole.output).to.equal(0);
    expect(whole.output).to.match(/^the audit is whole: 6 records in 2 chains, 0 of them without an end/);

    const records = direct.collection("audit");
    const changed = await records.findOneAndUpdate({ seq: 2 }, { $set: { subject: "somebody" } });
    const found = await verify();
    expect(found.code).to.equal(1);
    expect(found.output).to.include(`chain ${String(changed?.["chain"])}, record 2: was changed\n`);
  }).timeout(60_000);

  it("finds a chain that was taken out with its entries in the register, and an end that was cut off", async () => {
    const { output } = await verify();
    const known = / --known (\S+)/.exec(output)?.[1] ?? "";
    const last = await database.audit.lastOfRegister();
    await direct.collection("audit").deleteMany({ chain: last?.chain });
    const lacking = await verify("--json");
    expect(lacking.code).to.equal(1);
    const { findings } = JSON.parse(lacking.output) as { findings: unknown[] };
    const detail = "3 taken out, up to the last one noted";
    expect(findings).to.deep.equal([{ chain: last?.chain, place: 1, detail }]);

    await direct.collection("audit_register").deleteMany({ chain: last?.chain });
    expect((await verify()).code).to.equal(0);
    expect(await verify("--known", known)).to.include({ code: 1 });
  }).timeout(60_000);

  it("takes what it printed of a chain that has no end, and finds a pruning that came before the retention", async () => {
    const metrics = createMetrics({ withProcessMetrics: false });
    const platform = createPlatform();
    const deps = { ...platform, store: database.audit, instanceId: "i3", log: silentLog, metrics };
    const running = createAuditRecorder({ ...deps, process: "api" });
    running.record({ action: "user.deleted", subject: "u4" });
    await eventually(async () => expect((await database.audit.lastOfRegister())?.kind).to.equal("head"));
    const { output } = await verify();
    const known = / --known (\S+) (\S+)\n/.exec(output)?.slice(1) ?? [];
    expect(known[1], output).to.match(/^[0-9a-f-]{36}:1:[0-9a-f]{64}$/);
    expect(await verify("--known", ...known)).to.include({ code: 0 });

    const chain = known[1]?.split(":")[0] ?? "";
    const last = await database.audit.lastOfRegister();
    const atMs = platform.clock.wallMs();
    const note = { kind: "pruned", chain, seq: 2, recordHash: last?.recordHash ?? "", atMs } as const;
    await appendToRegister(database.audit, note);
    await database.audit.removeBelow({ chain, seq: 2 }, 10);
    const found = await verify("--known", ...known);
    expect(found.code).to.equal(1);
    expect(found.output).to.include(`chain ${chain}, record 1: was not old enough to be pruned`);
    await running.close();
  }).timeout(60_000);
});
