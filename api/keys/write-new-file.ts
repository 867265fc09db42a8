import { link, rm, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import type { Ids } from "../../shared/ports/platform.ts";

/**
 * Writes a secret to a file that does not exist yet; false when it does. The file appears whole or not at all, and
 * of two processes one writes it: the text goes to a file of its own first, and a link never replaces anything.
 */
export async function writeNewFile(path: string, text: string, ids: Ids): Promise<boolean> {
  const draft = join(dirname(path), `.${basename(path)}.${ids.uuid()}`);
  try {
    await writeFile(draft, text, { mode: 0o600, flag: "wx", flush: true });
    await link(draft, path);
    return true;
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "EEXIST") return false;
    throw error;
  } finally {
    await rm(draft, { force: true });
  }
}
