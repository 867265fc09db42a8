import { AppError } from "../../shared/errors.ts";
import type { Middleware } from "../request-state.ts";
import { headerValues } from "./header-values.ts";

const maxTargetLength = 8 * 1024;

/** What Node lets through: no Host or two of them (RFC 9112 §3.2), a target that is too long, and a path that is not percent-encoded UTF-8. */
export function createRefuseMalformed(): Middleware {
  return async function refuseMalformed(ctx, next) {
    if (ctx.url.length > maxTargetLength)
      throw new AppError("uri-too-long", `Path and query may have at most ${maxTargetLength} characters.`);
    const hosts = headerValues(ctx.req, "host");
    const isOld = ctx.req.httpVersion === "1.0";
    if (hosts.length > 1 || (hosts.length === 0 && !isOld))
      throw new AppError("request-malformed", "Send exactly one Host header.");
    if (ctx.path.includes("%") && !isDecodable(ctx.path))
      throw new AppError("request-malformed", "The path is not percent-encoded UTF-8.");
    await next();
  };
}

function isDecodable(path: string): boolean {
  try {
    decodeURIComponent(path);
    return true;
  } catch (error) {
    if (error instanceof URIError) return false;
    throw error;
  }
}
