import type { RedisSettings } from "../engine-settings.ts";
import { AppError } from "../errors.ts";
import type { SettingsSource } from "../settings.ts";

export interface RedisAddress {
  /** `redis://` or `rediss://`. */
  readonly url: string;
  /** Of `rediss://` only: who vouches for the server; the authorities that Node knows unless given. */
  readonly caPem?: string;
}

/** Throws `config-invalid` when the file of the certificates cannot be read. */
export function redisAddress(settings: RedisSettings, source: SettingsSource): RedisAddress {
  const { REDIS_URL: url, REDIS_CA_FILE: path } = settings;
  if (path === undefined) return { url };
  try {
    return { url, caPem: source.readFile(path) };
  } catch (cause) {
    const detail = `- REDIS_CA_FILE cannot be read (${JSON.stringify(path)})`;
    throw new AppError("config-invalid", detail, { cause });
  }
}
