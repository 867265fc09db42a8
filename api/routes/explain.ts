import type { BlacklistFeed } from "../blacklist/blacklist-feed.ts";
import type { ExplainedToken, ExplainToken } from "../tokens/explain-token.ts";
import { readId, readQuery } from "./input.ts";
import type { AppRouter, Guards } from "./router.ts";
import { noQuerySchema } from "./schemas.ts";

export interface ExplainRouteDeps {
  readonly explainToken: ExplainToken;
  readonly feed: Pick<BlacklistFeed, "freshness" | "position">;
  readonly instanceId: string;
}

export function addExplainRoutes(router: AppRouter, guards: Guards, deps: ExplainRouteDeps): void {
  const { explainToken, feed, instanceId } = deps;

  router.get("/tokens/:jti/explain", ...guards.admin, async (ctx) => {
    readQuery(ctx, noQuerySchema);
    const jti = readId(ctx, "jti");
    const { verdict, ...known } = await explainToken(jti);
    ctx.set("cache-control", "no-store");
    ctx.body = {
      jti,
      verdict: verdict.isAccepted ? "accepted" : "refused",
      code: verdict.code,
      rule: verdict.rule,
      detail: verdict.detail,
      by: byWhom(known),
      since: known.receipt === null ? null : (known.receipt.applied_at ?? known.receipt.requested_at),
      event: known.receipt,
      token: tokenJson(known),
      user: userJson(known),
      instance: { id: instanceId, state: feed.freshness().state, position: feed.position },
    };
  });
}

type Known = Omit<ExplainedToken, "verdict">;

/** Upstream systems name whom they like as the actor: their own name counts more. */
function byWhom({ receipt, actor }: Known) {
  return receipt === null ? null : { actor, source: receipt.source };
}

function tokenJson({ token, session }: Known) {
  if (token === null) return null;
  return {
    sid: token.sid,
    epoch: token.epoch,
    kid: token.key?.kid ?? null,
    issued_at: timeText(token.issuedAtMs),
    expires_at: timeText(token.expiresAtMs),
    session_ended_at: session?.endedAtMs == null ? null : timeText(session.endedAtMs),
  };
}

function userJson({ user }: Known) {
  if (user === null) return null;
  const { id, status, epoch, statusChangedAtMs } = user;
  return { id, status, epoch, status_changed_at: timeText(statusChangedAtMs) };
}

function timeText(ms: number): string {
  return new Date(ms).toISOString();
}
