import { AppError } from "../../shared/errors.ts";
import type { Log } from "../../shared/log.ts";
import { createProblem, problemContentType } from "../problem.ts";
import type { Middleware } from "../request-state.ts";

/**
 * The one place where errors become answers: RFC 9457 problem details, RFC 6750 challenges. What nobody raised on
 * purpose is a bug: it is logged whole, and the caller learns only the request id.
 */
export function createReportErrors(log: Log): Middleware {
  return async function reportErrors(ctx, next) {
    try {
      await next();
    } catch (thrown) {
      const error = appErrorOf(thrown);
      const { requestId } = ctx.state;
      if (error.code === "internal-error") log.error("http.failed", { err: thrown, request_id: requestId });
      // A dependency's fault, which its operators must see; an instance that is stale says so once, by itself.
      else if (error.rule.status >= 500 && error.cause !== undefined)
        log.warn("http.unavailable", { slug: error.code, err: error, request_id: requestId });
      else log.debug("http.refused", { slug: error.code, err: error.cause, request_id: requestId });
      const problem = createProblem(error, { instance: ctx.path, requestId });
      ctx.status = problem.body.status;
      ctx.set(problem.headers);
      ctx.body = JSON.stringify(problem.body);
      ctx.type = problemContentType;
    }
  };
}

function appErrorOf(thrown: unknown): AppError {
  if (thrown instanceof AppError) return thrown;
  return new AppError("internal-error", "The request failed on our side.", { cause: thrown });
}
