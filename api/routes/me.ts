import { PassThrough } from "node:stream";
import type { Metrics } from "../../shared/metrics.ts";
import type { Timers } from "../../shared/ports/platform.ts";
import type { OpenConnections } from "../blacklist/connections.ts";
import { claimsOf } from "../request-state.ts";
import type { EmailOfUser } from "../users/email-of-user.ts";
import { readQuery } from "./input.ts";
import { ownClaimsOf } from "./own-claims.ts";
import type { AppRouter, Guards } from "./router.ts";
import { noQuerySchema } from "./schemas.ts";

export interface MeDeps {
  readonly emailOfUser: EmailOfUser;
  readonly connections: OpenConnections;
  readonly instanceId: string;
  readonly timers: Timers;
  readonly metrics: Pick<Metrics, "openStreams">;
}

/** How long a client may take to receive the last event; one that does not read is cut off then. */
const lastWordsMs = 1_000;
/** Something now and then, so that no proxy takes a quiet stream for a dead one. */
const heartbeatMs = 15_000;

export function addMeRoutes(router: AppRouter, guards: Guards, deps: MeDeps): void {
  const { emailOfUser, connections, instanceId, timers, metrics } = deps;

  router.get("/me", ...guards.bearer, async (ctx) => {
    readQuery(ctx, noQuerySchema);
    const { sub, roles, jti, iat, exp, epoch } = ownClaimsOf(ctx);
    const token = { jti, issued_at: timeText(iat), expires_at: timeText(exp), epoch };
    ctx.set("cache-control", "no-store");
    ctx.body = { id: sub, email: await emailOfUser(sub), roles, token, instance: instanceId };
  });

  /** Server-sent events (WHATWG HTML §9.2): ends with the reason why the token is not accepted any more. */
  router.get("/me/stream", ...guards.bearer, (ctx) => {
    readQuery(ctx, noQuerySchema);
    const stream = new PassThrough();
    const { jti } = ownClaimsOf(ctx);
    ctx.set({ "cache-control": "no-store", "x-accel-buffering": "no" });
    ctx.type = "text/event-stream";
    ctx.body = stream;
    metrics.openStreams.inc();

    stream.write(eventText("open", { jti, instance: instanceId }));
    let stopBeating = timers.after(heartbeatMs, beat);
    const token = { claims: claimsOf(ctx), policy: ctx.state.stalenessPolicy };
    const unregister = connections.register(token, (reason) => {
      stopBeating();
      stream.end(eventText(reason, { jti }));
      const cutOff = timers.after(lastWordsMs, () => ctx.req.socket.destroy());
      ctx.res.once("close", cutOff);
    });
    stream.once("close", () => {
      unregister();
      stopBeating();
      metrics.openStreams.dec();
    });

    function beat(): void {
      if (!stream.writableNeedDrain) stream.write(": still here\n\n");
      stopBeating = timers.after(heartbeatMs, beat);
    }
  });
}

function eventText(event: string, data: Record<string, string>): string {
  return `event: ${event}\ndata: ${JSON.stringify(data)}\n\n`;
}

function timeText(seconds: number): string {
  return new Date(seconds * 1_000).toISOString();
}
