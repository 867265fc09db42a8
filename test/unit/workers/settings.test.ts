import { expect } from "chai";
import { describe, it } from "mocha";
import { AppError } from "../../../shared/errors.ts";
import { loadWorkerSettings } from "../../../workers/settings.ts";

const engines = {
  MONGO_URL: "mongodb://127.0.0.1:27017",
  REDIS_URL: "redis://127.0.0.1:6379",
  KAFKA_BROKERS: "127.0.0.1:9092,[::1]:9093",
};

function load(environment: Record<string, string>) {
  return loadWorkerSettings({ environment, readFile: () => "" });
}

function problemsOf(environment: Record<string, string>): string {
  try {
    load(environment);
  } catch (error) {
    if (error instanceof AppError && error.code === "config-invalid") return error.message;
    throw error;
  }
  return "";
}

describe("worker settings", () => {
  it("needs nothing but the three addresses", () => {
    expect(load(engines)).to.include({ NAMESPACE: "quash", SYNC_INTERVAL_MS: 1_000, HEALTH_PORT: undefined });
  });

  it("names each of the addresses that is missing", () => {
    expect(problemsOf({})).to.include("MONGO_URL").and.include("REDIS_URL").and.include("KAFKA_BROKERS");
  });

  it("names a port that is out of range", () => {
    expect(problemsOf({ ...engines, HEALTH_PORT: "70000" }))
      .to.include("HEALTH_PORT")
      .and.include("70000");
  });

  it("refuses half of Kafka's credentials", () => {
    expect(problemsOf({ ...engines, KAFKA_USERNAME: "quash" })).to.include("KAFKA_PASSWORD");
  });

  it("repeats no secret", () => {
    expect(problemsOf({ ...engines, MONGO_URL: "http://user:canary@host" })).to.not.include("canary");
  });
});
