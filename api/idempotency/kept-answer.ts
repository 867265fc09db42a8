import { AppError, type ErrorCode, errorTable } from "../../shared/errors.ts";
import type { KeptAnswer } from "../../shared/ports/idempotency-store.ts";
import type { Context } from "../request-state.ts";

export const replayedHeader = "idempotency-replayed";

/** What is longer is not kept. */
const longestBody = 64 * 1024;
/**
 * Of what was looked at and refused for what stood against it. All else, such as a body with a slip in it, leaves the
 * key for another try, and leaves nothing behind: refused calls are free, and would fill the database.
 */
const keptStatuses: readonly number[] = [409];

/** Null for what is not kept. */
export function keptAnswerOf(ctx: Context): KeptAnswer | null {
  const body = textOf(ctx.body);
  if (ctx.status >= 400 || body === null || body.length > longestBody) return null;
  const header = (name: string) => ctx.response.get(name) || null;
  return {
    status: ctx.status,
    location: header("location"),
    contentType: header("content-type"),
    body,
    problem: null,
  };
}

/** Null for what is not kept. */
export function keptProblemOf(error: unknown): KeptAnswer | null {
  if (!(error instanceof AppError) || !keptStatuses.includes(error.rule.status)) return null;
  const { code: problem, message: body } = error;
  return { status: error.rule.status, location: null, contentType: null, body, problem };
}

/** The answer once more; a problem is thrown. */
export function replay(ctx: Context, { status, location, contentType, body, problem }: KeptAnswer): void {
  const headers = { [replayedHeader]: "true" };
  if (problem !== null) throw new AppError(isCode(problem) ? problem : "internal-error", body, { headers });
  ctx.status = status;
  if (status !== 204) ctx.body = body;
  if (contentType !== null) ctx.set("content-type", contentType);
  if (location !== null) ctx.set("location", location);
  ctx.set(headers);
}

/** As Koa sends it. Null for what is no text, such as a stream. */
function textOf(body: unknown): string | null {
  if (body === null || body === undefined) return "";
  if (typeof body === "string") return body;
  const isPlain =
    typeof body === "object" && [Object.prototype, Array.prototype].includes(Object.getPrototypeOf(body));
  return isPlain ? JSON.stringify(body) : null;
}

function isCode(slug: string): slug is ErrorCode {
  return Object.hasOwn(errorTable, slug);
}
