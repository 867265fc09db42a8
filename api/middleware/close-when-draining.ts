import type { Middleware } from "../request-state.ts";

/** While the process shuts down, every answer asks its client to come back on another connection. */
export function createCloseWhenDraining(isDraining: () => boolean): Middleware {
  return async function closeWhenDraining(ctx, next) {
    try {
      await next();
    } finally {
      if (isDraining()) ctx.set("connection", "close");
    }
  };
}
