import { AppError } from "../../shared/errors.ts";
import type { Middleware } from "../request-state.ts";
import type { AppRouter } from "../routes/router.ts";

/**
 * What no route takes. Another method at a known path is told which ones there are (RFC 9110 §15.5.6), and who
 * asks for the server as a whole of all that are anywhere (§9.3.7).
 */
export function createRefuseUnknown(router: Pick<AppRouter, "match" | "stack">): Middleware {
  return async function refuseUnknown(ctx) {
    const isOfServer = ctx.method === "OPTIONS" && ctx.path === "*";
    const layers = isOfServer ? router.stack : router.match(ctx.path, ctx.method).path;
    const methods = [...new Set(layers.flatMap((layer) => layer.methods))].toSorted();
    if (methods.length === 0) throw new AppError("not-found", "There is nothing at this path.");
    const allow = [...methods, "OPTIONS"].join(", ");
    if (ctx.method !== "OPTIONS") {
      throw new AppError("method-not-allowed", `Here only ${allow} can be called.`, { headers: { allow } });
    }
    ctx.status = 204;
    ctx.set("allow", allow);
  };
}
