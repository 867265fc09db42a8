import { AppError } from "../../shared/errors.ts";
import type { Log } from "../../shared/log.ts";
import { createProblem } from "../problem.ts";
import type { Middleware } from "../request-state.ts";
import { OauthError } from "./oauth-error.ts";

interface Refusal {
  readonly status: number;
  readonly code: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** Errors in the shape of RFC 6749 §5.2, for who calls with an OAuth library. A fault of ours stays what it is. */
export function createReportOauthErrors(deps: { readonly log: Log }): Middleware {
  return async function reportOauthErrors(ctx, next) {
    ctx.set({ "cache-control": "no-store", pragma: "no-cache" });
    try {
      await next();
    } catch (thrown) {
      const refusal = refusalOf(thrown);
      if (refusal === null || !(thrown instanceof Error)) throw thrown;
      if (refusal.status >= 500 && thrown.cause !== undefined) {
        const { requestId } = ctx.state;
        deps.log.warn("http.unavailable", { slug: refusal.code, err: thrown, request_id: requestId });
      }
      ctx.status = refusal.status;
      ctx.set(refusal.headers);
      ctx.body = { error: refusal.code, error_description: describable(thrown.message) };
    }
  };
}

function refusalOf(thrown: unknown): Refusal | null {
  if (thrown instanceof OauthError) {
    const { code, status } = thrown;
    // RFC 6749 §5.2: who authenticates in the header is told of the scheme.
    return { status, code, headers: status === 401 ? { "www-authenticate": 'Basic realm="quash"' } : {} };
  }
  if (!(thrown instanceof AppError) || thrown.rule.status === 500) return null;
  const { headers } = createProblem(thrown, { instance: "", requestId: "" });
  return { status: thrown.rule.status, code: codeOf(thrown), headers };
}

/** What the other parts refuse, in OAuth's words: RFC 6750 §3.1, RFC 6749 §4.1.2.1. */
function codeOf({ rule }: AppError): string {
  if (rule.retriable || rule.status === 429) return "temporarily_unavailable";
  return rule.challenge ?? "invalid_request";
}

/** RFC 6749 §5.2: no quotes, no backslashes, ASCII. */
function describable(message: string): string {
  return message.replaceAll(/[^\x20-\x21\x23-\x5b\x5d-\x7e]/g, "'");
}
