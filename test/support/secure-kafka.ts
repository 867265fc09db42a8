import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { createServiceProcess } from "../chaos/system/service-process.ts";
import { freePorts } from "../services/free-ports.ts";
import { createKafka } from "../services/kafka.ts";
import { servicesFolder } from "../services/state.ts";
import type { Certificates } from "./certificates.ts";

export const kafkaUser = { username: "quash", password: "canary-kafka-password" } as const;
/** May sign in, and nothing else. */
export const kafkaStranger = { username: "stranger", password: "canary-kafka-stranger" } as const;

export interface KafkaUser {
  readonly username: string;
  readonly password: string;
}

/** A broker of a test's own, with a listener for each way to connect. */
export interface SecureKafka {
  /** `host:port` each. */
  readonly plain: string;
  readonly tls: string;
  /** SCRAM-SHA-512 and PLAIN, over TLS. */
  readonly sasl: string;
  close(): Promise<void>;
}

/** `strangers` may sign in, and nothing else. Who comes without a name, over `plain`, may do everything. */
export async function startSecureKafka(
  { keystoreFile }: Certificates,
  strangers: readonly KafkaUser[] = [kafkaStranger],
): Promise<SecureKafka> {
  const [plain = 0, controller = 0, tls = 0, sasl = 0] = await freePorts(4);
  const at = (port: number) => `127.0.0.1:${port}`;
  const scram = "org.apache.kafka.common.security.scram.ScramLoginModule required;";
  const everybody = [kafkaUser, ...strangers];
  const users = everybody.map(({ username, password }) => `user_${username}="${password}"`).join(" ");
  const clients = `PLAINTEXT://${at(plain)},SSL://${at(tls)},SASL_SSL://${at(sasl)}`;
  const service = createKafka({
    settings: {
      listeners: `${clients},CONTROLLER://${at(controller)}`,
      "advertised.listeners": clients,
      "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,SSL:SSL,SASL_SSL:SASL_SSL",
      "inter.broker.listener.name": "PLAINTEXT",
      "ssl.keystore.type": "PEM",
      "ssl.keystore.location": keystoreFile,
      "sasl.enabled.mechanisms": "SCRAM-SHA-512,PLAIN",
      "listener.name.sasl_ssl.scram-sha-512.sasl.jaas.config": scram,
      "listener.name.sasl_ssl.plain.sasl.jaas.config": `org.apache.kafka.common.security.plain.PlainLoginModule required ${users};`,
      "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
      "super.users": `User:ANONYMOUS;User:${kafkaUser.username}`,
    },
    format: everybody.flatMap(({ username, password }) => [
      "--add-scram",
      `SCRAM-SHA-512=[name=${username},password=${password}]`,
    ]),
  });
  const folder = await mkdtemp(path.join(tmpdir(), "quash-kafka-"));
  const programs = path.join(servicesFolder(process.env), "programs");
  await service.install(programs, () => undefined);
  const place = { programs, folder, logFolder: folder, ports: [plain, controller] };
  const broker = createServiceProcess("kafka", service, place);
  await broker.start();
  return {
    plain: at(plain),
    tls: at(tls),
    sasl: at(sasl),
    async close() {
      await broker.end("SIGKILL");
      await rm(folder, { recursive: true, force: true });
    },
  };
}
