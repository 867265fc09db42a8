import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { listen } from "../shared/listen.ts";
import type { Log } from "../shared/log.ts";
import type { Metrics } from "../shared/metrics.ts";
import type { Platform } from "../shared/ports/platform.ts";
import { type Dependencies, type DependencyWatch, watchDependencies } from "./watch-dependencies.ts";

export interface HealthDeps {
  /** What the worker needs for its work, by name. */
  readonly dependencies: Dependencies;
  readonly platform: Pick<Platform, "clock" | "timers">;
  readonly metrics: Metrics;
  readonly log: Log;
}

export interface HealthListenerOptions {
  readonly host: string;
  /** Undefined: the usual port, or a free one where that is taken. */
  readonly port: number | undefined;
  readonly usualPort?: number;
}

export interface HealthListener {
  readonly url: string;
  close(): Promise<void>;
}

export const usualHealthPort = 9_464;

/** Answers `/livez`, `/readyz` and `/metrics`. */
export async function startHealthListener(
  deps: HealthDeps,
  options: HealthListenerOptions,
): Promise<HealthListener> {
  const watch = watchDependencies(deps.dependencies, deps.platform);
  const server = createServer((request, response) => {
    answer({ ...deps, watch }, request, response).catch((err: unknown) => {
      deps.log.error("health.failed", { err });
      response.destroy();
    });
  });
  server.requestTimeout = 10_000;
  try {
    await listenWhereFree(server, options);
  } catch (error) {
    watch.close();
    throw error;
  }
  server.on("error", (err) => deps.log.warn("health.connection-refused", { err }));
  return {
    url: urlOf(server.address()),
    close() {
      watch.close();
      return new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      });
    },
  };
}

async function listenWhereFree(server: Server, options: HealthListenerOptions): Promise<void> {
  const { host, port, usualPort = usualHealthPort } = options;
  if (port !== undefined) return listen(server, host, port);
  try {
    await listen(server, host, usualPort);
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "EADDRINUSE")) throw error;
    await listen(server, host, 0);
  }
}

async function answer(
  { watch, metrics }: Pick<HealthDeps, "metrics"> & { readonly watch: DependencyWatch },
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const path = request.url?.split("?")[0];
  if (request.method !== "GET" && request.method !== "HEAD") {
    response.setHeader("Allow", "GET, HEAD");
    return send(response, 405, { status: "method-not-allowed" });
  }
  if (path === "/livez") return send(response, 200, { status: "ok", checks: {} });
  if (path === "/readyz") {
    const checks = await watch.look();
    const isReady = Object.values(checks).every(({ status }) => status === "ok");
    return send(response, isReady ? 200 : 503, { status: isReady ? "ok" : "unavailable", checks });
  }
  if (path === "/metrics") {
    const checks = await watch.look();
    for (const [name, { status }] of Object.entries(checks)) {
      metrics.up.get(name)?.set(status === "ok" ? 1 : 0);
    }
    response.setHeader("Content-Type", metrics.contentType);
    response.end(await metrics.text());
    return;
  }
  send(response, 404, { status: "not-found" });
}

function send(response: ServerResponse, status: number, body: object): void {
  response.statusCode = status;
  response.setHeader("Content-Type", "application/json");
  response.setHeader("Cache-Control", "no-store");
  response.end(JSON.stringify(body));
}

function urlOf(address: string | AddressInfo | null): string {
  if (address === null || typeof address === "string") throw new Error("the health listener has no address");
  const host = address.family === "IPv6" ? `[${address.address}]` : address.address;
  return `http://${host}:${address.port}`;
}
