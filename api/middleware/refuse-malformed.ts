import { AppError } from "../../shared/errors.ts";
import type { Middleware } from "../request-state.ts";
import { headerValues } from "./header-values.ts";

const maxTargetLength = 8 * 1024;

/**
 * What Node lets through: a target that is too long, a version that is neither 1.0 nor 1.1, chunks in 1.0 (RFC 9112
 * §6.1), no Host or two of them (§3.2), two types of one body, and a path that is not percent-encoded UTF-8.
 */
export function createRefuseMalformed(): Middleware {
  return async function refuseMalformed(ctx, next) {
    if (ctx.url.length > maxTargetLength)
      throw new AppError("uri-too-long", `Path and query may have at most ${maxTargetLength} characters.`);
    const hosts = headerValues(ctx.req, "host");
    const { httpVersion } = ctx.req;
    const isOld = httpVersion === "1.0";
    if (httpVersion !== "1.1" && (!isOld || ctx.get("transfer-encoding") !== "")) {
      // Where this message ends is doubtful, and so is where a next one would begin.
      ctx.set("connection", "close");
      throw new AppError("request-malformed", "Send HTTP/1.1, or HTTP/1.0 without a Transfer-Encoding.");
    }
    if (hosts.length > 1 || (hosts.length === 0 && !isOld))
      throw new AppError("request-malformed", "Send exactly one Host header.");
    if (headerValues(ctx.req, "content-type").length > 1)
      throw new AppError("request-malformed", "Send one Content-Type header.");
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
