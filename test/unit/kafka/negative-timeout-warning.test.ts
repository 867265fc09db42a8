import { runInThisContext } from "node:vm";
import { expect } from "chai";
import { afterEach, beforeEach, describe, it } from "mocha";
import { hideNegativeTimeoutOfKafkajs } from "../../../shared/kafka/negative-timeout-warning.ts";

describe("hideNegativeTimeoutOfKafkajs", () => {
  const original = Reflect.get(process, "emitWarning");
  let shown: unknown[];

  beforeEach(() => {
    shown = [];
    process.emitWarning = (...given: unknown[]) => void shown.push(given[1]);
    hideNegativeTimeoutOfKafkajs();
  });

  afterEach(() => {
    process.emitWarning = original;
  });

  it("leaves out the warning that kafkajs causes", () => {
    warnFrom("/app/node_modules/kafkajs/src/network/requestQueue/index.js", "TimeoutNegativeWarning");
    expect(shown).to.deep.equal([]);
  });

  it("shows that warning when anybody else causes it", () => {
    warnFrom("/app/shared/timer.js", "TimeoutNegativeWarning");
    expect(shown).to.deep.equal(["TimeoutNegativeWarning"]);
  });

  it("shows any other warning of kafkajs", () => {
    warnFrom("/app/node_modules/kafkajs/src/index.js", "DeprecationWarning");
    expect(shown).to.deep.equal(["DeprecationWarning"]);
  });
});

function warnFrom(filename: string, type: string): void {
  runInThisContext(`(process, type) => process.emitWarning("x", type)`, { filename })(process, type);
}
