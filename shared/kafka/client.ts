import { Kafka, type KafkaConfig, type LogEntry, logLevel, type SASLOptions } from "kafkajs";
import type { Log } from "../log.ts";
import type { Ids, Timers } from "../ports/platform.ts";
import { openSocket } from "./socket.ts";

export interface KafkaOptions {
  /** `host:port` each. */
  readonly brokers: readonly string[];
  /** Prefix of topics and group. */
  readonly namespace: string;
  readonly clientId: string;
  readonly tls?: { readonly caPem?: string };
  readonly sasl?: KafkaCredentials;
  readonly log: Log;
  readonly timers: Timers;
  readonly ids: Ids;
}

export interface KafkaCredentials {
  readonly mechanism: "plain" | "scram-sha-256" | "scram-sha-512";
  readonly username: string;
  readonly password: string;
}

/** A client that gives up soon: whoever uses it decides when to try again. */
export function createClient(options: KafkaOptions, requestTimeoutMs: number): Kafka {
  const config: KafkaConfig = {
    brokers: [...options.brokers],
    clientId: options.clientId,
    connectionTimeout: 1000,
    authenticationTimeout: 2000,
    requestTimeout: requestTimeoutMs,
    socketFactory: openSocket,
    retry: { retries: 2, initialRetryTime: 100, maxRetryTime: 500 },
    logLevel: logLevel.INFO,
    logCreator: () => (entry) => writeEntry(options.log, entry),
  };
  if (options.tls) config.ssl = options.tls.caPem === undefined ? true : { ca: [options.tls.caPem] };
  if (options.sasl) config.sasl = saslOptions(options.sasl);
  return new Kafka(config);
}

function saslOptions({ mechanism, username, password }: KafkaCredentials): SASLOptions {
  const credentials = { username, password };
  if (mechanism === "plain") return { mechanism, ...credentials };
  if (mechanism === "scram-sha-256") return { mechanism, ...credentials };
  return { mechanism, ...credentials };
}

/**
 * Named members only: others may hold the bytes of records. The library writes a line for each attempt on each broker;
 * what comes of it is said once by whoever called.
 */
function writeEntry(log: Log, { namespace, log: entry }: LogEntry): void {
  const { message, broker, groupId, topic, partition, error } = entry;
  const cause = error instanceof Error ? error.message : error;
  const fields = { part: namespace, message, broker, groupId, topic, partition, cause };
  log.debug("kafka.client", fields);
}
