import { chmod, chown, readFile, realpath, rename, rm, stat, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import type { Ids } from "../../shared/ports/platform.ts";
import { KeysFault } from "./edit-jwks.ts";

export interface Replacement {
  readonly from: string;
  readonly to: string;
}

/**
 * Replaces what a file says, whole or not at all: whoever reads it meets the old text or the new one. It keeps its
 * owner, is readable by nobody who could not read it before, and never by everybody. Throws when it does not say
 * `from` any more.
 */
export async function replaceFile(path: string, { from, to }: Replacement, ids: Ids): Promise<void> {
  const target = await realpath(path);
  const draft = join(dirname(target), `.${basename(target)}.${ids.uuid()}`);
  try {
    await writeFile(draft, to, { mode: 0o600, flag: "wx", flush: true });
    const { uid, gid, mode } = await stat(target);
    const made = await stat(draft);
    if (made.uid !== uid || made.gid !== gid) await chown(draft, uid, gid);
    await chmod(draft, (mode & 0o640) | 0o600);
    if ((await readFile(target, "utf8")) !== from) {
      throw new KeysFault(`${path} was changed by somebody else meanwhile; nothing was written, try again`);
    }
    await rename(draft, target);
  } finally {
    await rm(draft, { force: true });
  }
}
