import { AppError } from "../../shared/errors.ts";
import type { SettingsSource } from "../../shared/settings.ts";
import { type KeySet, parseKeys } from "./keys.ts";

/** Throws `config-invalid`, which names the file and never what is in it. */
export async function loadKeys(path: string, source: Pick<SettingsSource, "readFile">): Promise<KeySet> {
  return parseKeys(readKeys(path, source));
}

function readKeys(path: string, source: Pick<SettingsSource, "readFile">): string {
  try {
    return source.readFile(path);
  } catch (cause) {
    const why = cause instanceof Error && "code" in cause ? String(cause.code) : "unreadable";
    throw new AppError(
      "config-invalid",
      `- SIGNING_KEYS_FILE cannot be read (${JSON.stringify(path)}: ${why})`,
      {
        cause,
      },
    );
  }
}
