import type { HeaderName } from "./headers.ts";
import type { Operation } from "./operation.ts";

export interface ImpliedHeaders {
  readonly request: readonly HeaderName[];
  readonly answer: readonly HeaderName[];
}

/** The headers that go without saying of an operation. */
export function headersOf(operation: Operation): ImpliedHeaders {
  const { requestHeaders = [] } = operation;
  const isOnce = takesIdempotencyKey(operation);
  return {
    request: ["X-Request-Id", ...(isOnce ? (["Idempotency-Key"] as const) : []), ...requestHeaders],
    answer: ["X-Request-Id", ...(isOnce ? (["Idempotency-Replayed"] as const) : [])],
  };
}

const withoutKeys: readonly Operation["caller"][] = ["anyone", "client", "clientOrToken"];

/** Whatever changes something for the bearer of a token. */
export function takesIdempotencyKey({ method, caller }: Pick<Operation, "method" | "caller">): boolean {
  return method !== "get" && !withoutKeys.includes(caller);
}
