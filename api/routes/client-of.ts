import type { SessionClient } from "../../shared/ports/session-store.ts";
import type { ClientAddress } from "../abuse/client-address.ts";
import type { Context } from "../request-state.ts";

const agentLength = 256;

/** Where a request comes from, as its user is to know it again: a text to show, and nothing to decide by. */
export function clientOf(ctx: Pick<Context, "req" | "get">, clientAddress: ClientAddress): SessionClient {
  const address = clientAddress(ctx.req);
  const agent = ctx
    .get("user-agent")
    .replaceAll(/\p{Cc}/gu, "")
    .slice(0, agentLength);
  return { ...(address !== "" && { address }), ...(agent !== "" && { agent }) };
}
