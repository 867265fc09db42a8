import Koa from "koa";
import helmet from "koa-helmet";
import type { Log } from "../shared/log.ts";
import type { Metrics } from "../shared/metrics.ts";
import type { Platform } from "../shared/ports/platform.ts";
import type { NoteRefusal } from "./audit/refusals.ts";
import type { Blacklist } from "./blacklist/blacklist.ts";
import type { RoutePolicies } from "./blacklist/staleness-policy.ts";
import { createAllowOrigins } from "./middleware/allow-origins.ts";
import { type AnswerOnceDeps, createAnswerOnce } from "./middleware/answer-once.ts";
import { createAssignRequestId } from "./middleware/assign-request-id.ts";
import { createCloseWhenDraining } from "./middleware/close-when-draining.ts";
import { createGuard } from "./middleware/guard.ts";
import { createObserveRequests } from "./middleware/observe-requests.ts";
import { createRefuseMalformed } from "./middleware/refuse-malformed.ts";
import { createRefuseUnknown } from "./middleware/refuse-unknown.ts";
import { createRefuseIfRevoked, createRejectRevoked } from "./middleware/reject-revoked.ts";
import { createReportErrors } from "./middleware/report-errors.ts";
import { createRequireFresh, type FreshFeed } from "./middleware/require-fresh.ts";
import { createRequireRole } from "./middleware/require-role.ts";
import { createRequireToken } from "./middleware/require-token.ts";
import type { RequestState } from "./request-state.ts";
import { addAnswerOnce } from "./routes/add-answer-once.ts";
import { createRoutes, type RouteDeps } from "./routes/index.ts";
import type { AppRouter, Guards } from "./routes/router.ts";
import type { VerifyOnce } from "./tokens/verify-once.ts";

export interface GuardDeps extends Pick<Platform, "clock"> {
  readonly feed: FreshFeed;
  readonly routePolicies?: RoutePolicies;
  readonly tokens: Pick<VerifyOnce, "verify">;
  readonly blacklist: Blacklist;
  readonly metrics: Metrics;
  readonly noteRefusal: NoteRefusal;
}

export interface PipelineDeps extends Pick<Platform, "clock" | "ids"> {
  readonly log: Log;
  readonly metrics: Metrics;
  readonly isDraining: () => boolean;
  /** Whose pages may call; none unless given. */
  readonly corsOrigins?: readonly string[];
}

export type AppDeps = RouteDeps & Platform & GuardDeps & PipelineDeps & AnswerOnceDeps;

/** The pipeline: no I/O of its own. */
export function createApp(deps: AppDeps): Koa<RequestState> {
  const guards = createGuards(deps);
  const router = createRoutes(guards, deps);
  addAnswerOnce(router, guards, createAnswerOnce(deps));
  return createPipeline(router, deps);
}

export function createGuards(deps: GuardDeps): Guards {
  const checks = [
    createRequireFresh(deps.feed, deps.routePolicies),
    createRequireToken(deps.tokens),
    createRejectRevoked(createRefuseIfRevoked(deps), deps),
  ];
  return {
    bearer: [createGuard(checks)],
    admin: [createGuard([...checks, createRequireRole("admin")])],
    operator: [createGuard([...checks, createRequireRole("operator", "admin")])],
    emitter: [createGuard([...checks, createRequireRole("emitter", "admin")])],
  };
}

/** What stands around every route. */
export function createPipeline(router: AppRouter, deps: PipelineDeps): Koa<RequestState> {
  const { clock, ids, log, metrics, corsOrigins = [] } = deps;
  const app = new Koa<RequestState>();
  app.use(createAssignRequestId(ids));
  app.use(createObserveRequests({ clock, log, metrics }));
  app.use(createCloseWhenDraining(deps.isDraining));
  app.use(helmet());
  if (corsOrigins.length > 0) app.use(createAllowOrigins(corsOrigins));
  app.use(createReportErrors(log));
  app.use(createRefuseMalformed());
  app.use(router.routes());
  app.use(createRefuseUnknown(router));
  app.on("error", (err: unknown) => log.warn("http.broken-off", { err }));
  return app;
}
