import type { KafkaSettings } from "../engine-settings.ts";
import { AppError } from "../errors.ts";
import type { SettingsSource } from "../settings.ts";
import type { KafkaOptions } from "./client.ts";

type Address = Pick<KafkaOptions, "brokers" | "namespace" | "tls" | "sasl">;

/** Throws `config-invalid` when the file of the certificates cannot be read. */
export function kafkaAddress(settings: KafkaSettings, source: SettingsSource): Address {
  const { KAFKA_SASL_MECHANISM: mechanism, KAFKA_USERNAME: username, KAFKA_PASSWORD: password } = settings;
  const hasCredentials = mechanism !== undefined && username !== undefined && password !== undefined;
  return {
    brokers: settings.KAFKA_BROKERS,
    namespace: settings.NAMESPACE,
    ...(settings.KAFKA_TLS ? { tls: certificatesOf(settings.KAFKA_CA_FILE, source) } : {}),
    ...(hasCredentials ? { sasl: { mechanism, username, password } } : {}),
  };
}

function certificatesOf(path: string | undefined, source: SettingsSource): { caPem?: string } {
  if (path === undefined) return {};
  try {
    return { caPem: source.readFile(path) };
  } catch (cause) {
    const detail = `- KAFKA_CA_FILE cannot be read (${JSON.stringify(path)})`;
    throw new AppError("config-invalid", detail, { cause });
  }
}
