import { metadataPathsOf } from "../../api/oauth/metadata.ts";
import { createRoutes, type RouteDeps } from "../../api/routes/index.ts";
import type { Guards } from "../../api/routes/router.ts";

/** Every route as `GET /users/:id`. They are only listed, never called, so what they need stays away. */
export function routes(): string[] {
  const guards = new Proxy({} as Guards, { get: () => [] });
  const oauth = { metadataPaths: metadataPathsOf("https://quash.example") };
  const nothing = new Proxy({} as RouteDeps, {
    get: (_, name) => (name === "oauth" ? oauth : undefined),
  });
  return createRoutes(guards, nothing)
    .stack.filter(({ methods }) => methods.length > 0)
    .map(({ methods, path }) => `${methods.find((method) => method !== "HEAD") ?? ""} ${String(path)}`);
}
