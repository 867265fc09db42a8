import { createClient } from "../support/client.ts";
import type { Person } from "./people.ts";
import { type Administration, deactivateOverHttp } from "./receipts.ts";
import type { SystemUnderLoad } from "./system.ts";

const tries = 20;

/**
 * Deactivates somebody behind the back of an instance that has lost Redis: once the receipt says that everybody
 * enforces it, this one must have stopped accepting by itself. Returns how often it accepted all the same.
 */
export async function runIsolation(
  system: SystemUnderLoad,
  person: Person,
  administration: Administration,
): Promise<number> {
  if (system.startIsolatable === undefined) return 0;
  const isolated = await system.startIsolatable();
  const client = createClient(isolated.url);
  const before = await client.statusOf(person.token);
  if (before !== 200) throw new Error(`${isolated.url} answered ${before} before it lost Redis`);
  isolated.cutOff();
  await deactivateOverHttp(administration, person);
  let accepted = 0;
  for (let i = 0; i < tries; i += 1) {
    if ((await client.statusOf(person.token)) === 200) accepted += 1;
  }
  return accepted;
}
