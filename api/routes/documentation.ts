import {
  createDocumentation,
  type Documentation,
  type Publication,
  pagePolicy,
} from "../openapi/documentation.ts";
import type { AppRouter, RouteContext } from "./router.ts";

/** It changes with the version only; whoever keeps it longer than this asks whether it still stands. */
const cacheControl = "public, max-age=300";

export function addDocumentationRoutes(router: AppRouter): void {
  /** Made when it is first asked for: most instances never are, and a start should not wait for it. */
  let made: Documentation | undefined;
  const documentation = () => (made ??= createDocumentation());

  router.get("/openapi.json", (ctx) => {
    answer(ctx, "application/json", documentation().forPrograms);
  });

  router.get("/docs", (ctx) => {
    ctx.set("content-security-policy", pagePolicy);
    answer(ctx, "text/html", documentation().forPeople);
  });
}

function answer(ctx: RouteContext, type: string, { body, etag }: Publication): void {
  ctx.set({ etag, "cache-control": cacheControl });
  ctx.status = 200;
  if (isHeld(ctx.get("if-none-match"), etag)) {
    ctx.status = 304;
    return;
  }
  ctx.type = type;
  ctx.body = body;
}

/** RFC 9110 §13.1.2, by weak comparison. A `Cache-Control` in the request speaks to caches, not to us. */
function isHeld(ifNoneMatch: string, etag: string): boolean {
  return ifNoneMatch.split(",").some((tag) => tag.trim() === "*" || tag.trim().replace(/^W\//, "") === etag);
}
