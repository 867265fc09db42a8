import { readFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";

const root = join(import.meta.dirname, "..", "..");
const lockSchema = z.object({
  packages: z.record(
    z.string(),
    z.object({
      version: z.string().optional(),
      license: z.string().optional(),
      hasInstallScript: z.boolean().optional(),
      dev: z.boolean().optional(),
      dependencies: z.record(z.string(), z.string()).optional(),
      devDependencies: z.record(z.string(), z.string()).optional(),
    }),
  ),
});

export interface InstalledPackage {
  readonly name: string;
  readonly version: string;
  /** An SPDX expression. */
  readonly license: string | undefined;
  readonly isDev: boolean;
  readonly hasInstallScript: boolean;
  /** Named in package.json. */
  readonly isDirect: boolean;
}

/** Every package that `npm ci` installs, by the lock file. */
export function readLock(): InstalledPackage[] {
  const { packages } = lockSchema.parse(JSON.parse(readFileSync(join(root, "package-lock.json"), "utf8")));
  const own = packages[""];
  const direct = new Set(Object.keys({ ...own?.dependencies, ...own?.devDependencies }));
  return Object.entries(packages)
    .filter(([path]) => path !== "")
    .map(([path, { version = "", license, dev = false, hasInstallScript = false }]) => {
      const name = path.slice(path.lastIndexOf("node_modules/") + "node_modules/".length);
      const isDirect = path === `node_modules/${name}` && direct.has(name);
      return { name, version, license, isDev: dev, hasInstallScript, isDirect };
    });
}
