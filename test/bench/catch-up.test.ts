import { expect } from "chai";
import { it } from "mocha";
import { startNode } from "../support/node-process.ts";
import { addressesOf, describeWithServices } from "../support/services.ts";

describeWithServices("npm run bench:catch-up", ["redis", "mongo", "kafka"], (services) => {
  it("tells how fast the events that waited are handled, and that the instances serve meanwhile", async function () {
    this.timeout(120_000);
    const run = startNode(["test/bench/catch-up.ts", "--events", "300"], {
      environment: { HOME: process.env["HOME"] ?? "", ...addressesOf(services) },
    });
    expect(await run.ended, run.output()).to.equal(0);
    const report: unknown = JSON.parse(/^\{.*$/m.exec(run.output())?.[0] ?? "null");
    expect(report).to.include({ events: 300 });
    expect(report).to.have.property("events_per_second").that.is.greaterThan(0);
    expect(report)
      .to.have.property("instances_meanwhile")
      .that.includes({ refused: 0 })
      .and.has.property("answered")
      .that.is.greaterThan(0);
  });
});
