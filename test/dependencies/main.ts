import { isAcceptedLicense } from "./accepted-licenses.ts";
import { type InstalledPackage, readLock } from "./read-lock.ts";

const packages = readLock().toSorted((a, b) => a.name.localeCompare(b.name));
for (const each of packages) process.stdout.write(`${lineOf(each)}\n`);

const refused = packages.filter(({ license }) => !isAcceptedLicense(license));
if (refused.length > 0) {
  const names = refused.map(({ name, license }) => `${name} (${license ?? "none"})`).join(", ");
  process.stderr.write(`Licences that are not accepted: ${names}. See docs/dependencies.md.\n`);
  process.exitCode = 1;
}

function lineOf({ name, version, license = "none", isDev }: InstalledPackage): string {
  return [license.padEnd(22), isDev ? "development" : "production ", `${name}@${version}`].join("  ");
}
