import type { IncomingMessage } from "node:http";
import { AppError } from "../../shared/errors.ts";
import type { Check } from "../request-state.ts";
import type { VerifyOnce } from "../tokens/verify-once.ts";
import { headerValues } from "./header-values.ts";

/** Several tokens in one header; other texts with commas are no tokens at all. */
const tokenList = /^[A-Za-z0-9._~+/=-]*,/;

const usualScheme = "Bearer ";
const separators = [" ", "\t", ","] as const;

/** The access token is taken from the `Authorization` header only, one of them, scheme Bearer (RFC 6750 §2.1). */
export function createRequireToken(tokens: Pick<VerifyOnce, "verify">): Check {
  return function requireToken(ctx) {
    ctx.state.token = tokens.verify(tokenOf(ctx.req));
  };
}

/** Throws an `AppError` when there is none, or more than one. */
export function tokenOf(request: Pick<IncomingMessage, "rawHeaders" | "url">): string {
  const { url = "" } = request;
  const queryAt = url.indexOf("?");
  const isInQuery = queryAt >= 0 && new URLSearchParams(url.slice(queryAt + 1)).has("access_token");
  return tokenIn(headerValues(request, "authorization"), isInQuery);
}

function tokenIn(headers: readonly string[], isInQuery: boolean): string {
  const [header = "", ...more] = headers;
  if (more.length === 0 && !isInQuery && header.startsWith(usualScheme)) {
    const token = header.slice(usualScheme.length);
    // What nearly everybody sends; all else is looked at more closely.
    if (token !== "" && !separators.some((separator) => token.includes(separator))) return token;
  }
  if (more.length > 0 || (isInQuery && header !== "")) {
    throw new AppError("auth-ambiguous", "Send one Authorization header, and the token nowhere else.");
  }
  const end = header.indexOf(" ");
  const scheme = end === -1 ? header : header.slice(0, end);
  const token = end === -1 ? "" : header.slice(end).replace(/^ +/, "");
  if (scheme === "" || (isBearer(scheme) && token === "")) {
    throw new AppError("token-missing", "Send an access token: Authorization: Bearer <token>.");
  }
  if (!isBearer(scheme)) {
    throw new AppError("auth-scheme-unsupported", "Send an access token: Authorization: Bearer <token>.");
  }
  if (token.includes(" ") || tokenList.test(token)) {
    throw new AppError("auth-malformed", "The Authorization header has more than one token after Bearer.");
  }
  return token;
}

/** RFC 9110 §11.1: the scheme is case-insensitive; §11.4: nothing but spaces stands after it. */
function isBearer(scheme: string): boolean {
  return scheme.toLowerCase() === "bearer";
}
