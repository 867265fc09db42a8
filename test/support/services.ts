import { randomBytes } from "node:crypto";
import { describeUnlessMissing } from "./requirements.ts";

const variables = {
  mongo: "QUASH_TEST_MONGO_URL",
  redis: "QUASH_TEST_REDIS_URL",
  kafka: "QUASH_TEST_KAFKA_BROKERS",
} as const;

export type ServiceNeed = keyof typeof variables;

export interface TestServices {
  readonly mongoUrl: string;
  readonly redisUrl: string;
  readonly kafkaBrokers: string;
}

/**
 * A suite against real services. `body` gets the addresses while the suite is being defined, so it must not connect
 * before its hooks run: without the services it is called too, with addresses where nobody answers, to be skipped.
 */
export function describeWithServices(
  title: string,
  needs: readonly ServiceNeed[],
  body: (services: TestServices) => void,
): void {
  const missing = needs.filter((need) => !process.env[variables[need]]).map((need) => `real ${need}`);
  describeUnlessMissing(title, missing, () => body(testServices()));
}

/** The settings of a process that is to use them. */
export function addressesOf({ mongoUrl, redisUrl, kafkaBrokers }: TestServices) {
  return { MONGO_URL: mongoUrl, REDIS_URL: redisUrl, KAFKA_BROKERS: kafkaBrokers };
}

/** A namespace nobody else uses; lower case letters and digits, so it fits topics, keys and database names. */
export function freshNamespace(): string {
  return `t${randomBytes(6).toString("hex")}`;
}

function testServices(): TestServices {
  return {
    mongoUrl: process.env[variables.mongo] || "mongodb://127.0.0.1:9",
    redisUrl: process.env[variables.redis] || "redis://127.0.0.1:9",
    kafkaBrokers: process.env[variables.kafka] || "127.0.0.1:9",
  };
}
