import { expect } from "chai";
import { describe, it } from "mocha";
import { createReport, isPassed } from "./report.ts";

const counted = (byInstance: Readonly<Record<string, number>>) => ({
  requests: 300,
  seconds: 6,
  latenciesMs: [1],
  byInstance: new Map(Object.entries(byInstance)),
  innocentsRefused: 0,
});

const reportOf = (byInstance: Readonly<Record<string, number>>, probes: readonly number[] = [3, 3]) =>
  createReport({
    options: { seconds: 5, connections: 1 },
    instances: ["a", "b"],
    traffic: { quiet: counted({}), busy: counted(byInstance), closed: counted({}) },
    deactivations: {
      propagationsMs: [1],
      probes: new Map(probes.map((count, at) => [String(at), count])),
      acceptedAfterEnforced: 0,
    },
  });

describe("the report of the load test", () => {
  it("counts an instance that answered nothing as the least", () => {
    const report = reportOf({ a: 300 });
    expect(report).to.include({ instances: 2, innocent_probes: 0 });
    expect(isPassed(report)).to.equal(false);
  });

  it("passes when every instance could have shown a violation and none did", () => {
    expect(isPassed(reportOf({ a: 200, b: 100 }))).to.equal(true);
    expect(isPassed(reportOf({ a: 200, b: 100 }, [3, 0]))).to.equal(false);
  });

  it("divides by the time that really passed", () => {
    const { requests_per_second: perSecond, closed_loop: closed } = reportOf({ a: 200, b: 100 });
    expect([perSecond, closed.requests_per_second]).to.deep.equal([50, 50]);
  });
});
