import { expect } from "chai";
import { describe, it } from "mocha";
import { AppError } from "../../../shared/errors.ts";
import { brokers, choice, integer, optional, readSettings, text, url } from "../../../shared/settings.ts";

const table = {
  PORT: integer({ min: 0, max: 65535 }, { description: "where to listen", default: 3000 }),
  LEVEL: choice(["info", "debug"], { description: "how much to log", default: "info" }),
  REDIS_URL: url(["redis:", "rediss:"], { description: "the store" }),
  KAFKA_BROKERS: brokers({ description: "the event log", default: ["localhost:9092"] }),
  ADMIN_PASSWORD: optional(
    text("a password", { description: "of the administrator", isSecret: true, pattern: /^.{8,}$/ }),
  ),
};

const valid = { REDIS_URL: "redis://localhost:6379" };

function read(environment: Record<string, string>, files: Record<string, string> = {}) {
  return readSettings(table, {
    environment,
    readFile(path) {
      const content = files[path];
      if (content === undefined) throw Object.assign(new Error("no such file"), { code: "ENOENT" });
      return content;
    },
  });
}

function problemsOf(environment: Record<string, string>): string {
  try {
    read(environment);
  } catch (error) {
    if (error instanceof AppError && error.code === "config-invalid") return error.message;
    throw error;
  }
  return "";
}

describe("readSettings", () => {
  it("takes an address with several hosts, as a replica set has it", () => {
    const mongo = { URL: url(["mongodb:", "mongodb+srv:"], { description: "the database" }) };
    const accepts = (given: string) => {
      try {
        return readSettings(mongo, { environment: { URL: given }, readFile: () => "" }).URL === given;
      } catch {
        return false;
      }
    };
    expect(accepts("mongodb://u:p,w@a:27017,b:27018,[::1]:27019/db?replicaSet=rs")).to.equal(true);
    expect(accepts("mongodb://a:27017,b:27018")).to.equal(true);
    expect(accepts("mongodb+srv://cluster.example/db")).to.equal(true);
    expect(accepts("mongodb://a:port,b:27018")).to.equal(false);
    expect(accepts("redis://a:6379,b:6379")).to.equal(false);
  });

  it("takes defaults and leaves out what is optional", () => {
    expect(read(valid)).to.deep.equal({
      PORT: 3000,
      LEVEL: "info",
      REDIS_URL: "redis://localhost:6379",
      KAFKA_BROKERS: ["localhost:9092"],
      ADMIN_PASSWORD: undefined,
    });
  });

  it("reports every problem at once, with its variable, what was given and what is expected", () => {
    const problems = problemsOf({ PORT: "70000", LEVEL: "loud", KAFKA_BROKERS: "kafka" });
    expect(problems.split("\n")).to.have.length(4);
    expect(problems).to.match(/PORT is "70000"; expected a whole number from 0 to 65535/);
    expect(problems).to.match(/LEVEL is "loud"; expected one of info, debug/);
    expect(problems).to.match(/REDIS_URL is not set/);
    expect(problems).to.match(/KAFKA_BROKERS is "kafka"/);
  });

  it("never shows a secret", () => {
    const problems = problemsOf({ ...valid, ADMIN_PASSWORD: "canary" });
    expect(problems)
      .to.match(/ADMIN_PASSWORD is \[redacted\]/)
      .and.not.match(/canary/);
  });

  it("reads a secret from a file, without its last line break", () => {
    const settings = read({ ...valid, ADMIN_PASSWORD_FILE: "secret" }, { secret: "correct horse\n" });
    expect(settings.ADMIN_PASSWORD).to.equal("correct horse");
  });

  it("refuses a secret given twice, and a file that cannot be read", () => {
    expect(problemsOf({ ...valid, ADMIN_PASSWORD: "correct horse", ADMIN_PASSWORD_FILE: "secret" })).to.match(
      /both set/,
    );
    expect(problemsOf({ ...valid, ADMIN_PASSWORD_FILE: "missing" })).to.match(/ADMIN_PASSWORD_FILE.*ENOENT/);
  });

  it("never takes a number that only starts like one", () => {
    for (const given of ["80x", "1e3", "0x10", " 80", "8.5", "-1"]) {
      expect(problemsOf({ ...valid, PORT: given }), given).to.match(/PORT/);
    }
  });
});
