import Koa from "koa";
import helmet from "koa-helmet";
import type { Log } from "../shared/log.ts";
import type { Metrics } from "../shared/metrics.ts";
import type { Platform } from "../shared/ports/platform.ts";
import type { Blacklist } from "./blacklist/blacklist.ts";
import type { RoutePolicies } from "./blacklist/staleness-policy.ts";
import { createAssignRequestId } from "./middleware/assign-request-id.ts";
import { createCloseWhenDraining } from "./middleware/close-when-draining.ts";
import { createObserveRequests } from "./middleware/observe-requests.ts";
import { createRefuseMalformed } from "./middleware/refuse-malformed.ts";
import { createRefuseUnknown } from "./middleware/refuse-unknown.ts";
import { createRefuseIfRevoked, createRejectRevoked } from "./middleware/reject-revoked.ts";
import { createReportErrors } from "./middleware/report-errors.ts";
import { createRequireFresh, type FreshFeed } from "./middleware/require-fresh.ts";
import { createRequireRole } from "./middleware/require-role.ts";
import { createRequireToken } from "./middleware/require-token.ts";
import type { RequestState } from "./request-state.ts";
import { createRoutes, type RouteDeps } from "./routes/index.ts";
import type { AppRouter, Guards } from "./routes/router.ts";
import type { VerifyOnce } from "./tokens/verify-once.ts";

export interface GuardDeps extends Pick<Platform, "clock"> {
  readonly feed: FreshFeed;
  readonly routePolicies?: RoutePolicies;
  readonly tokens: Pick<VerifyOnce, "verify">;
  readonly blacklist: Blacklist;
  readonly metrics: Metrics;
}

export interface PipelineDeps extends Pick<Platform, "clock" | "ids"> {
  readonly log: Log;
  readonly metrics: Metrics;
  readonly isDraining: () => boolean;
}

export type AppDeps = RouteDeps & Platform & GuardDeps & PipelineDeps;

/** The pipeline: no I/O of its own. */
export function createApp(deps: AppDeps): Koa<RequestState> {
  return createPipeline(createRoutes(createGuards(deps), deps), deps);
}

export function createGuards(deps: GuardDeps): Guards {
  const bearer = [
    createRequireFresh(deps.feed, deps.routePolicies),
    createRequireToken(deps.tokens),
    createRejectRevoked(createRefuseIfRevoked(deps.blacklist, deps.metrics), deps),
  ];
  return {
    bearer,
    admin: [...bearer, createRequireRole("admin")],
    operator: [...bearer, createRequireRole("operator", "admin")],
    emitter: [...bearer, createRequireRole("emitter", "admin")],
  };
}

/** What stands around every route. */
export function createPipeline(router: AppRouter, deps: PipelineDeps): Koa<RequestState> {
  const { clock, ids, log, metrics } = deps;
  const app = new Koa<RequestState>();
  app.use(createAssignRequestId(ids));
  app.use(createObserveRequests({ clock, log, metrics }));
  app.use(createCloseWhenDraining(deps.isDraining));
  app.use(helmet());
  app.use(createReportErrors(log));
  app.use(createRefuseMalformed());
  app.use(router.routes());
  app.use(createRefuseUnknown(router));
  app.on("error", (err: unknown) => log.warn("http.broken-off", { err }));
  return app;
}
