import { expect } from "chai";
import { after, before, it } from "mocha";
import { silentLog } from "../../shared/log.ts";
import { connectMongo } from "../../shared/mongo/database.ts";
import { createPlatform } from "../../shared/platform.ts";
import { dropMongoDatabase } from "../support/drop-mongo-database.ts";
import { fillLedger } from "../support/fill-ledger.ts";
import { startNode } from "../support/node-process.ts";
import { describeUnlessMissing, missingPrograms } from "../support/requirements.ts";
import { addressesOf, describeWithServices, freshNamespace } from "../support/services.ts";

describeWithServices("npm run bench:rebuild", ["redis", "mongo", "kafka"], (services) => {
  describeUnlessMissing("with a Redis of its own", missingPrograms(["redis-server"]), () => {
    const namespace = freshNamespace();
    const { mongoUrl } = services;

    before(async () => {
      const database = await connectMongo({ url: mongoUrl, namespace, log: silentLog, ...createPlatform() });
      await database.migrate();
      await database.close();
      await fillLedger({ mongoUrl, namespace, revocations: 100, tokensPerRow: 49 });
    });
    after(() => dropMongoDatabase(mongoUrl, namespace));

    it("tells of strict and of best_effort instances, and exits with 1 when it took too long", async function () {
      this.timeout(180_000);
      const given = ["--mongo-url", mongoUrl, "--filled", namespace, "--within-ms", "1"];
      const run = startNode(["test/bench/rebuild.ts", ...given], {
        environment: { HOME: process.env["HOME"] ?? "", ...addressesOf(services) },
      });
      expect(await run.ended, run.output()).to.equal(1);
      const report: unknown = JSON.parse(/^\{.*$/m.exec(run.output())?.[0] ?? "null");
      expect(report).to.include({ revocations: 100 });
      for (const policy of ["strict", "best_effort"])
        expect(report)
          .to.have.property(`${policy}_meanwhile`)
          .that.has.property("answered")
          .that.is.greaterThan(0);
    });
  });
});
