import type { SessionClient } from "../../shared/ports/session-store.ts";
import type { Context } from "../request-state.ts";

const agentLength = 256;
/** How a socket that takes both kinds shows an address of the old one (RFC 4291 §2.5.5.2). */
const mapped = /^::ffff:(?=\d+\.)/i;

/** Where a request comes from, as its user is to know it again: a text to show, and nothing to decide by. */
export function clientOf(ctx: Pick<Context, "ip" | "get">): SessionClient {
  const address = ctx.ip.replace(mapped, "");
  const agent = ctx
    .get("user-agent")
    .replaceAll(/\p{Cc}/gu, "")
    .slice(0, agentLength);
  return { ...(address !== "" && { address }), ...(agent !== "" && { agent }) };
}
