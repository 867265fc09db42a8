import type { Log } from "../../shared/log.ts";
import type { Metrics } from "../../shared/metrics.ts";
import type { Clock } from "../../shared/ports/platform.ts";
import { type Middleware, routeOf } from "../request-state.ts";

export interface ObserveDeps {
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
}

/** One log line and one measurement a request. Routes are counted by their pattern, so that labels stay few. */
export function createObserveRequests({ clock, log, metrics: { httpSeconds } }: ObserveDeps): Middleware {
  /** Found by their labels once, not at each request: there are as many as routes, methods and statuses. */
  const series = new Map<string, ReturnType<typeof httpSeconds.labels>>();

  function seriesOf(method: string, route: string, status: number) {
    const name = `${method} ${route} ${status}`;
    const known = series.get(name);
    if (known !== undefined) return known;
    const found = httpSeconds.labels({ method, route, status_code: String(status) });
    series.set(name, found);
    return found;
  }

  return async function observeRequests(ctx, next) {
    const startedAtMs = clock.monotonicMs();
    try {
      await next();
    } finally {
      const tookMs = clock.monotonicMs() - startedAtMs;
      const route = routeOf(ctx) ?? "none";
      const { method, status } = ctx;
      seriesOf(method, route, status).observe(tookMs / 1_000);
      log.debug("http.request", { method, route, status, took_ms: tookMs, request_id: ctx.state.requestId });
    }
  };
}
