import { createClient } from "../support/client.ts";
import type { Administration } from "./receipts.ts";
import type { SystemUnderLoad } from "./system.ts";

/** The ids of those that requests are spread over, whether or not one of them will ever answer. */
export async function readInstanceIds(
  { instanceUrls }: Pick<SystemUnderLoad, "instanceUrls">,
  { admin, adminToken: token }: Administration,
): Promise<string[]> {
  if (instanceUrls.length > 0) {
    const answers = await Promise.all(instanceUrls.map((url) => createClient(url).call("/me", { token })));
    return answers.map(({ body }) => String(body["instance"]));
  }
  const { body } = await admin.call("/instances", { token });
  const items: Record<string, unknown>[] = Array.isArray(body["items"]) ? body["items"] : [];
  return items.filter(({ state }) => state === "fresh").map(({ id }) => String(id));
}
