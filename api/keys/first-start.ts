import { access, mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Ids, Randomness } from "../../shared/ports/platform.ts";
import { generateJwks } from "./generate-jwks.ts";
import { writeNewFile } from "./write-new-file.ts";

export interface FirstStartDeps {
  readonly ids: Ids;
  readonly randomness: Randomness;
}

/** 18 bytes give 24 characters. */
const passwordBytes = 18;

/**
 * Makes `signing-keys.json` and `admin-password` in a directory, each where it is missing, and returns the
 * administrator's password. What exists is never touched. Safe from two processes at once.
 */
export async function firstStart(directory: string, { ids, randomness }: FirstStartDeps): Promise<string> {
  await mkdir(directory, { recursive: true });
  const keysFile = join(directory, "signing-keys.json");
  if (!(await exists(keysFile))) await writeNewFile(keysFile, await generateJwks("RS256"), ids);
  const passwordFile = join(directory, "admin-password");
  if (!(await exists(passwordFile))) {
    const password = Buffer.from(randomness.bytes(passwordBytes)).toString("base64url");
    await writeNewFile(passwordFile, `${password}\n`, ids);
  }
  return (await readFile(passwordFile, "utf8")).trim();
}

async function exists(path: string): Promise<boolean> {
  try {
    await access(path);
    return true;
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return false;
    throw error;
  }
}
