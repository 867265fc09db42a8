import { createRoutes, type RouteDeps } from "../../api/routes/index.ts";
import type { AppRouter, Guards } from "../../api/routes/router.ts";

/** The routes are only listed, never called, so what they need stays away but for what names a path. */
const nothing = new Proxy({} as RouteDeps, {
  get: (_target, name) => (name === "oauth" ? { metadataPaths: ["/metadata"] } : undefined),
});

export function listRoutes(guards: Guards): AppRouter {
  return createRoutes(guards, nothing);
}
