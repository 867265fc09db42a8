import type { Middleware } from "../request-state.ts";

/** While the process shuts down, every answer asks its client to come back on another connection. */
export function createCloseWhenDraining(isDraining: () => boolean): Middleware {
  return async function closeWhenDraining(ctx, next) {
    const ask = () => {
      if (isDraining()) ctx.set("connection", "close");
    };
    // Before, for a stream, whose headers are sent at once; afterwards, for what took its time.
    ask();
    try {
      await next();
    } finally {
      ask();
    }
  };
}
