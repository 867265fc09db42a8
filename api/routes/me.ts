import type { Metrics } from "../../shared/metrics.ts";
import type { Timers } from "../../shared/ports/platform.ts";
import type { OpenConnections } from "../blacklist/connections.ts";
import { claimsOf } from "../request-state.ts";
import type { EmailOfUser } from "../users/email-of-user.ts";
import { readQuery } from "./input.ts";
import { ownClaimsOf } from "./own-claims.ts";
import type { AppRouter, Guards, RouteContext } from "./router.ts";
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

  router.get("/me/stream", ...guards.bearer, (ctx) => {
    readQuery(ctx, noQuerySchema);
    const { jti } = ownClaimsOf(ctx);
    ctx.status = 200;
    ctx.set({ "cache-control": "no-store", "x-accel-buffering": "no" });
    ctx.type = "text/event-stream";
    if (ctx.method === "HEAD") return;
    ctx.respond = false;
    // One that waits behind another answer on its connection may never come to have it.
    if (ctx.res.socket === null) ctx.res.once("socket", () => openStream(ctx, jti));
    else openStream(ctx, jti);
  });

  /**
   * Server-sent events (WHATWG HTML §9.2): ends with the reason why the token is not accepted any more. Written
   * without a pipe, through which the last word would reach the client later.
   */
  function openStream(ctx: RouteContext, jti: string): void {
    const { req, res } = ctx;
    if (res.destroyed) return;
    metrics.openStreams.inc();
    res.write(eventText("open", { jti, instance: instanceId }));
    let stopBeating = timers.after(heartbeatMs, beat);
    const token = { claims: claimsOf(ctx), policy: ctx.state.stalenessPolicy };
    const unregister = connections.register(token, (reason) => {
      stopBeating();
      res.end(eventText(reason, { jti }));
      const cutOff = timers.after(lastWordsMs, () => req.socket.destroy());
      res.once("close", cutOff);
    });
    res.once("close", () => {
      unregister();
      stopBeating();
      metrics.openStreams.dec();
    });

    function beat(): void {
      if (!res.writableNeedDrain) res.write(": still here\n\n");
      stopBeating = timers.after(heartbeatMs, beat);
    }
  }
}

function eventText(event: string, data: Record<string, string>): string {
  return `event: ${event}\ndata: ${JSON.stringify(data)}\n\n`;
}

function timeText(seconds: number): string {
  return new Date(seconds * 1_000).toISOString();
}
