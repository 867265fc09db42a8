import type { AppError } from "../shared/errors.ts";

export const problemContentType = "application/problem+json";

/** RFC 9457 problem details, with the request's id and the places of what is wrong (RFC 6901 pointers). */
export interface Problem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly instance: string;
  readonly request_id: string;
  readonly errors?: AppError["errors"];
}

export function createProblem(
  error: AppError,
  request: { readonly instance: string; readonly requestId: string },
): { readonly body: Problem; readonly headers: Record<string, string> } {
  const { rule } = error;
  const body: Problem = {
    type: `/problems/${error.code}`,
    title: rule.title,
    status: rule.status,
    detail: rule.expose ? error.message : rule.title,
    instance: request.instance,
    request_id: request.requestId,
    ...(error.errors.length > 0 ? { errors: error.errors } : {}),
  };
  return { body, headers: headersOf(error) };
}

function headersOf(error: AppError): Record<string, string> {
  const { rule, retryAfterSeconds } = error;
  const retryAfter = retryAfterSeconds ?? (rule.status === 503 ? 1 : undefined);
  return {
    "cache-control": "no-store",
    ...error.headers,
    ...(retryAfter === undefined ? {} : { "retry-after": String(retryAfter) }),
    ...(rule.status === 401 || rule.challenge !== undefined
      ? { "www-authenticate": challengeOf(error) }
      : {}),
  };
}

/** RFC 6750 §3: an error code only where a token was sent. Its description is ASCII without quotes. */
function challengeOf(error: AppError): string {
  const realm = 'Bearer realm="quash"';
  if (error.rule.challenge === undefined) return realm;
  const description = error.rule.title.replaceAll(/[^\x20-\x21\x23-\x5b\x5d-\x7e]/g, "");
  return `${realm}, error="${error.rule.challenge}", error_description="${description}"`;
}
