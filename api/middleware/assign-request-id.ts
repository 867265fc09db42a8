import type { Ids } from "../../shared/ports/platform.ts";
import type { Middleware } from "../request-state.ts";

const wellFormed = /^[A-Za-z0-9._~-]{1,128}$/;

/** `X-Request-Id` is taken if it is well-formed, made otherwise, and returned. */
export function createAssignRequestId(ids: Ids): Middleware {
  return async function assignRequestId(ctx, next) {
    const given = ctx.get("x-request-id");
    ctx.state.requestId = wellFormed.test(given) ? given : ids.uuid();
    ctx.set("x-request-id", ctx.state.requestId);
    await next();
  };
}
