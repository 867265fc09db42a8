import Koa from "koa";
import helmet from "koa-helmet";
import type { Log } from "../shared/log.ts";
import type { Metrics } from "../shared/metrics.ts";
import type { Platform } from "../shared/ports/platform.ts";
import type { Blacklist } from "./blacklist/blacklist.ts";
import type { BlacklistFeed } from "./blacklist/blacklist-feed.ts";
import type { RoutePolicies } from "./blacklist/staleness-policy.ts";
import { createAssignRequestId } from "./middleware/assign-request-id.ts";
import { createCloseWhenDraining } from "./middleware/close-when-draining.ts";
import { createObserveRequests } from "./middleware/observe-requests.ts";
import { createRefuseMalformed } from "./middleware/refuse-malformed.ts";
import { createRefuseUnknown } from "./middleware/refuse-unknown.ts";
import { createRejectRevoked } from "./middleware/reject-revoked.ts";
import { createReportErrors } from "./middleware/report-errors.ts";
import { createRequireFresh } from "./middleware/require-fresh.ts";
import { createRequireRole } from "./middleware/require-role.ts";
import { createRequireToken } from "./middleware/require-token.ts";
import type { RequestState } from "./request-state.ts";
import { createRoutes, type RouteDeps } from "./routes/index.ts";
import type { VerifyToken } from "./tokens/verify-token.ts";

export interface AppDeps extends RouteDeps, Platform {
  readonly log: Log;
  readonly metrics: Metrics;
  readonly verifyToken: VerifyToken;
  readonly blacklist: Blacklist;
  readonly feed: Pick<BlacklistFeed, "isAccepting" | "freshness">;
  readonly routePolicies?: RoutePolicies;
  readonly isDraining: () => boolean;
}

/** The pipeline: no I/O of its own. */
export function createApp(deps: AppDeps): Koa<RequestState> {
  const { log, metrics } = deps;
  const bearer = [
    createRequireFresh(deps.feed, deps.routePolicies),
    createRequireToken(deps.verifyToken),
    createRejectRevoked(deps),
  ];
  const router = createRoutes({ bearer, admin: [...bearer, createRequireRole("admin")] }, deps);

  const app = new Koa<RequestState>();
  app.use(createAssignRequestId(deps.ids));
  app.use(createObserveRequests({ clock: deps.clock, log, metrics }));
  app.use(createCloseWhenDraining(deps.isDraining));
  app.use(helmet());
  app.use(createReportErrors(log));
  app.use(createRefuseMalformed());
  app.use(createRefuseUnknown(router));
  app.use(router.routes());
  app.on("error", (err: unknown) => log.warn("http.broken-off", { err }));
  return app;
}
