import { AppError, errorTable } from "../../shared/errors.ts";
import type { Metrics } from "../../shared/metrics.ts";
import type { InstancesView } from "../../shared/ports/revocation-store.ts";
import type { InstanceObserver, ObservedInstance } from "../../shared/receipts/instance-observer.ts";
import { covers } from "../../shared/revocation/longest.ts";
import { explanations } from "../problems/explanations.ts";
import type { Readiness } from "../readiness.ts";
import type { KeySet } from "../tokens/keys.ts";
import { readQuery } from "./input.ts";
import type { AppRouter, Guards } from "./router.ts";
import { noQuerySchema } from "./schemas.ts";

export interface OperationsDeps {
  readonly observer: InstanceObserver;
  readonly keys: Pick<KeySet, "publicJwks">;
  readonly readiness: Readiness;
  readonly metrics: Metrics;
  readonly metricsText: () => Promise<string>;
}

export function addOperationsRoutes(router: AppRouter, guards: Guards, deps: OperationsDeps): void {
  const { observer, keys, readiness, metrics, metricsText } = deps;

  router.get("/instances", ...guards.operator, async (ctx) => {
    readQuery(ctx, noQuerySchema);
    const { view, instances } = await observer.observe();
    const present = instances.filter(({ signedOffAtMs }) => signedOffAtMs === null);
    ctx.body = {
      items: present.map((instance) => ({
        id: instance.id,
        position: instance.position,
        state: stateOf(instance, view),
        last_sync_at: new Date(instance.lastSyncAtMs).toISOString(),
        entries: instance.entries,
      })),
    };
  });

  router.get("/.well-known/jwks.json", (ctx) => {
    ctx.set("cache-control", "public, max-age=300");
    ctx.type = "application/jwk-set+json";
    ctx.body = JSON.stringify(keys.publicJwks);
  });

  router.get("/livez", (ctx) => {
    ctx.body = { status: "ok", checks: {} };
  });

  router.get("/readyz", (ctx) => {
    const { isReady, checks } = readiness();
    ctx.status = isReady ? 200 : 503;
    ctx.set("cache-control", "no-store");
    ctx.body = { status: isReady ? "ok" : "unavailable", checks };
  });

  router.get("/metrics", async (ctx) => {
    ctx.set("content-type", metrics.contentType);
    ctx.body = await metricsText();
  });

  router.get("/problems/:slug", (ctx) => {
    const slug = ctx.params["slug"] ?? "";
    if (!isCode(slug)) throw new AppError("not-found", "There is no problem of this name.");
    const { status, title, retriable } = errorTable[slug];
    ctx.body = { type: `/problems/${slug}`, title, status, detail: explanations[slug], retriable };
  });
}

/**
 * A sync renews the lease only of who has loaded what the store holds now, and whom the fence covers; a store under repair
 * renews nobody's.
 */
function stateOf(instance: ObservedInstance, view: InstancesView): "fresh" | "stale" | "fenced" {
  if (instance.isFenced) return "fenced";
  const isUpWithStore = view.incarnation !== null && instance.incarnation === view.incarnation;
  const silentForMs = view.storeTimeMs - instance.lastSyncAtMs;
  const isLeased = isUpWithStore && covers(view.longest, instance);
  return isLeased && silentForMs <= instance.maxStalenessMs ? "fresh" : "stale";
}

function isCode(slug: string): slug is keyof typeof errorTable {
  return Object.hasOwn(errorTable, slug);
}
