import type { SettingsOf } from "./settings.ts";
import { brokers, type CrossFieldRule, choice, integer, optional, text, toggle, url } from "./settings.ts";

/** Where Kafka is, and whose topics are meant. */
export const kafkaSettings = {
  KAFKA_BROKERS: brokers({ description: "the Kafka brokers" }),
  KAFKA_TLS: toggle({ description: "whether Kafka is spoken to over TLS", default: false }),
  KAFKA_CA_FILE: optional(
    text("the path of a file", { description: "certificate authorities of the Kafka brokers, PEM" }),
  ),
  KAFKA_SASL_MECHANISM: optional(
    choice(["plain", "scram-sha-256", "scram-sha-512"], { description: "how to sign in to Kafka" }),
  ),
  KAFKA_USERNAME: optional(text("a name", { description: "who signs in to Kafka" })),
  KAFKA_PASSWORD: optional(text("a password", { description: "the password for Kafka", isSecret: true })),
  NAMESPACE: text("1 to 63 characters of a-z, 0-9, - and _, the first a letter; not admin, local or config", {
    description: "prefix of topics, keys, database and consumer group; two namespaces never meet",
    default: "quash",
    // MongoDB's own databases, and its limit for the name of one.
    pattern: /^(?!(?:admin|local|config)$)[a-z][a-z0-9_-]{0,62}$/,
  }),
} as const;

export type KafkaSettings = SettingsOf<typeof kafkaSettings>;

/** Where Redis is. */
export const redisSettings = {
  REDIS_URL: url(["redis:", "rediss:"], { description: "the Redis server", isSecret: true }),
  REDIS_CA_FILE: optional(
    text("the path of a file", {
      description: "certificate authorities of the Redis server, PEM; for rediss:// only",
    }),
  ),
} as const;

export type RedisSettings = SettingsOf<typeof redisSettings>;

/** What every process of the real system is told in the same words: where its engines are, and what it is part of. */
export const engineSettings = {
  MONGO_URL: url(["mongodb:", "mongodb+srv:"], {
    description: "the MongoDB-protocol server",
    isSecret: true,
  }),
  ...redisSettings,
  ...kafkaSettings,
  TOKEN_ISSUER: text("a text without spaces", {
    description: "`iss` of our own tokens; the same in every process",
    default: "https://quash.example",
    pattern: /^\S{1,512}$/,
  }),
  SYNC_INTERVAL_MS: integer(
    { min: 50, max: 60_000 },
    { description: "how often the store is asked for what may have been missed", default: 1_000 },
  ),
  SHUTDOWN_GRACE_MS: integer(
    { min: 100, max: 600_000 },
    { description: "how long a shutdown may take", default: 10_000 },
  ),
  LOG_LEVEL: choice(["debug", "info", "warn", "error", "silent"], {
    description: "the least important log lines that are written",
    default: "info",
  }),
  HOST: text("an address", { description: "the address to listen on", default: "0.0.0.0" }),
} as const;

export type EngineSettings = SettingsOf<typeof engineSettings>;

/** A mechanism without a name and a password, or the other way round, is half a setting. */
export const kafkaCredentialsBelongTogether: CrossFieldRule<KafkaSettings> = (settings) => {
  const given = [settings.KAFKA_SASL_MECHANISM, settings.KAFKA_USERNAME, settings.KAFKA_PASSWORD];
  const count = given.filter((value) => value !== undefined).length;
  if (count === 0 || count === 3) return null;
  return "KAFKA_SASL_MECHANISM, KAFKA_USERNAME and KAFKA_PASSWORD are set together, or none of them";
};

export const kafkaCaNeedsTls: CrossFieldRule<KafkaSettings> = (settings) =>
  settings.KAFKA_CA_FILE !== undefined && !settings.KAFKA_TLS
    ? "KAFKA_CA_FILE is set, but KAFKA_TLS is not true"
    : null;

export const redisCaNeedsTls: CrossFieldRule<RedisSettings> = ({ REDIS_URL, REDIS_CA_FILE }) =>
  REDIS_CA_FILE !== undefined && !REDIS_URL.startsWith("rediss:")
    ? "REDIS_CA_FILE is set, but REDIS_URL does not start with rediss://"
    : null;
