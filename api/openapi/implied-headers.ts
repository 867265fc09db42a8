import type { HeaderName } from "./headers.ts";
import type { Operation } from "./operation.ts";

export interface ImpliedHeaders {
  readonly request: readonly HeaderName[];
  readonly answer: readonly HeaderName[];
}

/** The headers that go without saying of an operation. */
export function headersOf({ requestHeaders = [] }: Pick<Operation, "requestHeaders">): ImpliedHeaders {
  return { request: ["X-Request-Id", ...requestHeaders], answer: ["X-Request-Id"] };
}
