import { reasonSchema } from "../routes/schemas.ts";
import { type Answer, json, jsonBody } from "./operation.ts";
import { pendingReceipt, receipt } from "./response-schemas.ts";

/** What the calls that revoke something have in common. */
export const reasonBody = jsonBody("Reason", reasonSchema, { reason: "left the company" });

export function accepted(example: Partial<typeof pendingReceipt> = {}): Answer {
  return json("Accepted; nothing of it can be lost.", receipt, {
    headers: ["Location"],
    example: { ...pendingReceipt, ...example },
  });
}
