import { expect } from "chai";
import { describe, it } from "mocha";
import { loadApiSettings } from "../../../api/settings.ts";
import { AppError } from "../../../shared/errors.ts";

const given = {
  MONGO_URL: "mongodb://localhost/",
  REDIS_URL: "redis://localhost",
  KAFKA_BROKERS: "localhost:9092",
  SIGNING_KEYS_FILE: "keys.json",
};
const load = (environment: Record<string, string>) =>
  loadApiSettings({ environment, readFile: (path) => `content of ${path}\n` });

/** The lines of the message, one for each problem. */
function problemsOf(environment: Record<string, string>): string[] {
  try {
    load(environment);
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    expect(error.code).to.equal("config-invalid");
    return error.message.split("\n");
  }
  return [];
}

describe("settings of an API instance", () => {
  it("have the defaults that are promised", () => {
    expect(load(given)).to.include({
      PORT: 3_000,
      HOST: "0.0.0.0",
      NAMESPACE: "quash",
      TOKEN_LIFETIME_SECONDS: 900,
      REFRESH_LIFETIME_SECONDS: 2_592_000,
      CLOCK_TOLERANCE_SECONDS: 5,
      SYNC_INTERVAL_MS: 1_000,
      MAX_STALENESS_MS: 5_000,
      STALENESS_POLICY: "strict",
      SHUTDOWN_GRACE_MS: 10_000,
      LOG_LEVEL: "info",
      LOGIN_FAILURES_PER_ACCOUNT: 10,
      LOGIN_FAILURES_PER_ADDRESS: 100,
      TRUST_PROXY: "0",
      ADMIN_EMAIL: undefined,
      ADMIN_PASSWORD: undefined,
    });
  });

  it("list the origins that may call, none unless set", () => {
    expect(load(given).CORS_ORIGINS).to.deep.equal([]);
    const CORS_ORIGINS = "https://app.example.com, http://localhost:5173";
    expect(load({ ...given, CORS_ORIGINS }).CORS_ORIGINS).to.deep.equal([
      "https://app.example.com",
      "http://localhost:5173",
    ]);
  });

  it("give routes policies of their own, none unless set", () => {
    expect(load(given).ROUTE_POLICIES).to.deep.equal({});
    const ROUTE_POLICIES = "/me=best_effort,/users/:id=strict";
    expect(load({ ...given, ROUTE_POLICIES }).ROUTE_POLICIES).to.deep.equal({
      "/me": "best_effort",
      "/users/:id": "strict",
    });
  });

  it("name every one that is missing, in one message", () => {
    const problems = problemsOf({});
    expect(problems.map((line) => line.split(" ")[1])).to.deep.equal(Object.keys(given));
  });

  const bad: [name: string, value: string][] = [
    ["PORT", "abc"],
    ["PORT", "70000"],
    ["PORT", "-1"],
    ["TOKEN_LIFETIME_SECONDS", "-5"],
    ["TOKEN_LIFETIME_SECONDS", "86401"],
    ["CLOCK_TOLERANCE_SECONDS", "301"],
    ["LOGIN_FAILURES_PER_ACCOUNT", "-1"],
    ["LOGIN_FAILURES_PER_ADDRESS", "many"],
    ["TRUST_PROXY", "true"],
    ["TRUST_PROXY", "10.0.0.0/33"],
    ["CORS_ORIGINS", "*"],
    ["CORS_ORIGINS", "null"],
    ["CORS_ORIGINS", "app.example.com"],
    ["CORS_ORIGINS", "https://app.example.com/"],
    ["CORS_ORIGINS", "https://app.example.com,"],
    ["MAX_CONNECTIONS", "0"],
    ["STALENESS_POLICY", "lenient"],
    ["ROUTE_POLICIES", "/me=lenient"],
    ["LOG_LEVEL", "loud"],
    ["TOKEN_ISSUER", "with space"],
    ["ADMIN_EMAIL", "nobody"],
    ["ADMIN_EMAIL", "zero\u200bwidth@example.com"],
    ["ADMIN_PASSWORD", "short"],
    ["ADMIN_PASSWORD", "with a\ttab in it"],
    ["ADMIN_PASSWORD", "é".repeat(513)],
    ["MONGO_URL", "http://localhost"],
    ["REDIS_URL", "garbage"],
    ["KAFKA_BROKERS", "localhost"],
  ];
  for (const [name, value] of bad) {
    it(`refuse ${name}=${JSON.stringify(value.slice(0, 20))}, by name`, () => {
      const administrator = { ADMIN_EMAIL: "admin@example.com", ADMIN_PASSWORD: "long enough" };
      const problems = problemsOf({ ...given, ...administrator, [name]: value });
      expect(problems).to.have.length(1);
      expect(problems[0]).to.match(new RegExp(`^- ${name} is `));
    });
  }

  it("never say what a secret was", () => {
    const problems = problemsOf({
      ...given,
      ADMIN_EMAIL: "a@b.c",
      ADMIN_PASSWORD: "s3cr3t\t",
      MONGO_URL: "http://s3cr3t@x",
    });
    expect(problems).to.have.length(2);
    expect(problems.join()).to.contain("[redacted]").and.not.contain("s3cr3t");
  });

  it("take a password of 8 bytes, however few characters these are, and from a file", () => {
    const ADMIN_EMAIL = "admin@example.com";
    expect(load({ ...given, ADMIN_EMAIL, ADMIN_PASSWORD: "éééé" }).ADMIN_PASSWORD).to.equal("éééé");
    expect(load({ ...given, ADMIN_EMAIL, ADMIN_PASSWORD_FILE: "p" }).ADMIN_PASSWORD).to.equal("content of p");
  });

  it("want the first administrator's address and password together", () => {
    for (const half of [{ ADMIN_EMAIL: "a@b.c" }, { ADMIN_PASSWORD: "long enough" }]) {
      expect(problemsOf({ ...given, ...half })).to.deep.equal([
        "- ADMIN_EMAIL and ADMIN_PASSWORD are set together, or none of them",
      ]);
    }
  });

  it("leave room for one sync within the staleness that is allowed", () => {
    expect(problemsOf({ ...given, SYNC_INTERVAL_MS: "4001" })[0]).to.match(
      /^- MAX_STALENESS_MS is 5000; expected at least/,
    );
    expect(problemsOf({ ...given, SYNC_INTERVAL_MS: "4000" })).to.deep.equal([]);
  });

  it("want the policy of a route for one that there is", () => {
    expect(problemsOf({ ...given, ROUTE_POLICIES: "/mee=best_effort" })[0]).to.match(
      /^- ROUTE_POLICIES names \/mee: no route that wants a token; those are .*\/me, /,
    );
  });

  it("want rediss:// for the authorities of Redis", () => {
    const file = { REDIS_CA_FILE: "ca.pem" };
    expect(problemsOf({ ...given, ...file })).to.deep.equal([
      "- REDIS_CA_FILE is set, but REDIS_URL does not start with rediss://",
    ]);
    expect(problemsOf({ ...given, ...file, REDIS_URL: "rediss://localhost" })).to.deep.equal([]);
  });

  it("want Kafka's credentials together, and TLS for its authorities", () => {
    expect(problemsOf({ ...given, KAFKA_USERNAME: "u" })).to.have.length(1);
    expect(problemsOf({ ...given, KAFKA_CA_FILE: "ca.pem" })).to.have.length(1);
    const whole = { KAFKA_SASL_MECHANISM: "plain", KAFKA_USERNAME: "u", KAFKA_PASSWORD: "p" };
    expect(problemsOf({ ...given, ...whole, KAFKA_TLS: "true", KAFKA_CA_FILE: "ca.pem" })).to.deep.equal([]);
  });
});
