import cors from "@koa/cors";
import type { Middleware } from "../request-state.ts";

const allowHeaders = ["authorization", "content-type", "idempotency-key", "x-request-id"];
const exposeHeaders = [
  "idempotency-replayed",
  "location",
  "ratelimit",
  "ratelimit-policy",
  "retry-after",
  "www-authenticate",
  "x-request-id",
];
const preflightSeconds = 600;

/** Lets pages of these origins, letter for letter, call the API. No cookies are read, so none are asked for. */
export function createAllowOrigins(origins: readonly string[]): Middleware {
  return cors({
    origin: (ctx) => origins.find((origin) => origin === ctx.get("origin")) ?? "",
    allowMethods: ["GET", "HEAD", "POST", "DELETE"],
    allowHeaders,
    exposeHeaders,
    maxAge: preflightSeconds,
    keepHeadersOnError: false,
  });
}
