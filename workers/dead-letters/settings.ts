import {
  type KafkaSettings,
  kafkaCaNeedsTls,
  kafkaCredentialsBelongTogether,
  kafkaSettings,
} from "../../shared/engine-settings.ts";
import { readSettings, type SettingsSource } from "../../shared/settings.ts";

/** Nothing but Kafka is needed. Throws `config-invalid`, whose message lists every problem. */
export function loadDeadLetterSettings(source: SettingsSource): KafkaSettings {
  return readSettings(kafkaSettings, source, [kafkaCredentialsBelongTogether, kafkaCaNeedsTls]);
}
