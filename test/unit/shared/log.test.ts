import { Writable } from "node:stream";
import { expect } from "chai";
import { describe, it } from "mocha";
import { createLog } from "../../../shared/log.ts";

function capture(write: (log: ReturnType<typeof createLog>) => void): Record<string, unknown> {
  let line = "";
  const destination = new Writable({
    write(chunk, _encoding, done) {
      line += String(chunk);
      done();
    },
  });
  write(createLog({ level: "debug", name: "test", destination }));
  expect(line).to.not.include("canary");
  const parsed: unknown = JSON.parse(line);
  if (typeof parsed !== "object" || parsed === null) throw new TypeError("not an object");
  return Object.fromEntries(Object.entries(parsed));
}

describe("a log", () => {
  it("writes one JSON object a line, with the event's name and its fields", () => {
    const line = capture((log) => log.child({ instance: "i" }).info("revocation.applied", { event_id: "e" }));
    expect(line).to.include({
      level: "info",
      process: "test",
      event: "revocation.applied",
      instance: "i",
      event_id: "e",
    });
  });

  it("writes of an error only what errors have, and its causes: a library may hang a password onto one", () => {
    const cause = Object.assign(new Error("WRONGPASS"), {
      code: "E1",
      command: { args: ["AUTH", "canary"] },
    });
    const line = capture((log) => log.warn("redis.disconnected", { err: new Error("away", { cause }) }));
    expect(line["err"]).to.deep.include({ type: "Error", message: "away" });
    expect(line["err"]).to.have.nested.property("causes[0].code", "E1");
  });

  it("redacts what is named like a secret", () => {
    capture((log) => log.info("x", { password: "canary", request: { authorization: "canary" } }));
  });
});
