import { type Client, createClient } from "../support/client.ts";
import { eventually } from "../support/eventually.ts";
import type { Person } from "./people.ts";
import type { SystemUnderLoad } from "./system.ts";

const enforcedWithinMs = 30_000;
const tries = 20;

/**
 * Deactivates somebody behind the back of an instance that has lost Redis: once the receipt says that everybody
 * enforces it, this one must have stopped accepting by itself. Returns how often it accepted all the same.
 */
export async function runIsolation(
  system: SystemUnderLoad,
  { person, admin, adminToken }: { person: Person; admin: Client; adminToken: string },
): Promise<number> {
  if (system.startIsolatable === undefined) return 0;
  const isolated = await system.startIsolatable();
  const client = createClient(isolated.url);
  const before = await client.statusOf(person.token);
  if (before !== 200) throw new Error(`${isolated.url} answered ${before} before it lost Redis`);
  isolated.cutOff();
  const { status, body } = await admin.call(`/users/${person.id}/deactivate`, {
    method: "POST",
    token: adminToken,
  });
  if (status !== 202) throw new Error(`deactivating answered ${status}`);
  await eventually(
    async () => {
      const receipt = await admin.call(`/revocations/${String(body["event_id"])}`, { token: adminToken });
      if (receipt.body["status"] !== "enforced") throw new Error("the receipt does not say enforced");
    },
    { timeoutMs: enforcedWithinMs, intervalMs: 200 },
  );
  let accepted = 0;
  for (let i = 0; i < tries; i += 1) {
    if ((await client.statusOf(person.token)) === 200) accepted += 1;
  }
  return accepted;
}
