import { connect } from "node:net";
import { generateJwks } from "../../api/keys/generate-jwks.ts";
import type { KeyUpdates } from "../../api/keys/key-watch.ts";
import { type ServiceSettings, serviceSettings } from "../../api/settings.ts";
import { type RunningApi, startApi } from "../../api/start-api.ts";
import { type KeySet, parseKeys } from "../../api/tokens/keys.ts";
import { engineSettings } from "../../shared/engine-settings.ts";
import { createInProcessDatabaseServer } from "../../shared/in-process/database.ts";
import { InProcessEventLogServer } from "../../shared/in-process/event-log.ts";
import { createInProcessFailureCounters } from "../../shared/in-process/failure-counters.ts";
import { createInProcessStoreServer } from "../../shared/in-process/revocation-store.ts";
import { type Log, silentLog } from "../../shared/log.ts";
import { createPlatform } from "../../shared/platform.ts";
import type { Parts } from "../../shared/ports/parts.ts";
import type { PasswordHasher, Platform } from "../../shared/ports/platform.ts";
import type { RevocationStore } from "../../shared/ports/revocation-store.ts";
import { readSettings } from "../../shared/settings.ts";
import { type RunningWorker, startWorker } from "../../workers/start-worker.ts";
import { type Client, createClient } from "./client.ts";
import { expectDescribed } from "./described-answers.ts";
import { administrator } from "./fleet.ts";

export const namespace = "test";

/** As good as any where nobody attacks, and free. */
export const fastHasher: PasswordHasher = {
  hash: (password) => Promise.resolve(`hash of ${password}`),
  verify: (hash, password) => Promise.resolve(hash === `hash of ${password}`),
};

let keysForAll: Promise<KeySet> | undefined;

export function signingKeys(): Promise<KeySet> {
  keysForAll ??= generateJwks("ES256").then(parseKeys);
  return keysForAll;
}

export interface ApiWorldOptions {
  readonly platform?: Platform;
  readonly log?: Log;
  readonly settings?: Partial<ServiceSettings>;
  /** Those of all worlds unless given. */
  readonly keys?: KeySet;
  readonly hasher?: PasswordHasher;
}

export interface TestApi extends Client {
  readonly api: RunningApi;
  readonly url: string;
  readonly port: number;
}

export type ApiWorld = Awaited<ReturnType<typeof createApiWorld>>;

/** API instances over real HTTP, and workers, on one store, one database and one log in this process. */
export async function createApiWorld({
  platform = createPlatform(),
  log = silentLog,
  settings = {},
  keys: ownKeys,
  hasher = fastHasher,
}: ApiWorldOptions = {}) {
  const keys = ownKeys ?? (await signingKeys());
  const databaseServer = createInProcessDatabaseServer(platform);
  const storeServer = createInProcessStoreServer(platform);
  const logServer = new InProcessEventLogServer({ ...platform, namespace });
  const failureCounters = createInProcessFailureCounters();
  const syncIntervalMs = settings.SYNC_INTERVAL_MS ?? 50;
  const running: { close(): Promise<void> }[] = [];
  const defaults = readSettings(
    { ...serviceSettings, ...pickShared() },
    { environment: {}, readFile: () => "" },
  );

  const connectParts = (): Parts => ({
    database: databaseServer.connect(),
    store: storeServer.connect(),
    eventLog: logServer.connect(),
  });

  /** Resolves when it listens. */
  async function listen(parts: Partial<Parts> = {}, keyUpdates?: KeyUpdates): Promise<TestApi> {
    const api = await startApi({
      settings: {
        ...defaults,
        NAMESPACE: namespace,
        HOST: "127.0.0.1",
        PORT: 0,
        ADMIN_EMAIL: administrator.email,
        ADMIN_PASSWORD: administrator.password,
        ...settings,
        SYNC_INTERVAL_MS: syncIntervalMs,
      },
      platform,
      log,
      parts: { ...connectParts(), ...parts },
      keys,
      keyUpdates,
      hasher,
      openFailureCounters: () => failureCounters,
      withProcessMetrics: false,
    });
    running.push(api);
    return {
      ...createClient(api.url, { expectAnswer: expectDescribed }),
      api,
      url: api.url,
      port: Number(new URL(api.url).port),
    };
  }

  return {
    platform,
    keys,
    defaults,
    databaseServer,
    storeServer,
    logServer,
    connectParts,
    listen,
    /** Resolves when it accepts tokens, for which a worker must be there. */
    async startApi(parts: Partial<Parts> = {}, keyUpdates?: KeyUpdates): Promise<TestApi> {
      const one = await listen(parts, keyUpdates);
      await one.api.whenReady();
      return one;
    },
    async startWorker(parts: Partial<Parts> = {}): Promise<RunningWorker> {
      const worker = await startWorker({
        settings: {
          namespace,
          issuer: defaults.TOKEN_ISSUER,
          syncIntervalMs,
          holds: { ...defaults, ...settings },
        },
        platform,
        log,
        parts: { ...connectParts(), ...parts },
      });
      running.push(worker);
      return worker;
    },
    async close(): Promise<void> {
      for (const one of running.toReversed()) await one.close();
    },
  };
}

function pickShared() {
  const { HOST, NAMESPACE, TOKEN_ISSUER, SYNC_INTERVAL_MS, SHUTDOWN_GRACE_MS, LOG_LEVEL } = engineSettings;
  return { HOST, NAMESPACE, TOKEN_ISSUER, SYNC_INTERVAL_MS, SHUTDOWN_GRACE_MS, LOG_LEVEL };
}

/** A connection to a store that a test can cut, for one instance alone. Nothing is announced over a cut one. */
export function cuttable(store: RevocationStore) {
  let isCut = false;
  const cutOff = () => Promise.reject(new Error("unreachable"));
  const wrapped: RevocationStore = {
    ...store,
    sync: (report) => (isCut ? new Promise(() => undefined) : store.sync(report)),
    signOff: (id) => (isCut ? cutOff() : store.signOff(id)),
    subscribe: (listener) =>
      store.subscribe({
        ...listener,
        onAnnouncement: (announcement) => {
          if (!isCut) listener.onAnnouncement?.(announcement);
        },
      }),
  };
  return { store: wrapped, cut: () => void (isCut = true), restore: () => void (isCut = false) };
}

export interface RawAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  readonly body: Record<string, unknown>;
}

/** Sends bytes as they are and reads until the other side closes; what fetch would never send. */
export async function sendRaw(port: number, bytes: string | Uint8Array, end = false): Promise<RawAnswer> {
  const text = await new Promise<string>((resolve, reject) => {
    const socket = connect(port, "127.0.0.1");
    let received = "";
    socket.setEncoding("latin1").on("data", (chunk) => {
      received += String(chunk);
    });
    socket.once("error", reject);
    socket.once("close", () => resolve(received));
    socket.write(bytes);
    if (end) socket.end();
  });
  const answer = parseAnswer(text);
  const [, method, path] = /^([A-Z]+) (\S+) HTTP/.exec(Buffer.from(bytes).toString("latin1")) ?? [];
  if (method !== undefined && path !== undefined && method !== "CONNECT" && isOurs(answer))
    expectDescribed({ ...answer, method, path });
  return answer;
}

/** Other servers are called here too. */
function isOurs({ headers }: RawAnswer): boolean {
  return headers.has("x-request-id");
}

function parseAnswer(text: string): RawAnswer {
  const at = text.indexOf("\r\n\r\n");
  const [first = "", ...lines] = text.slice(0, at === -1 ? 0 : at).split("\r\n");
  const headers = new Headers();
  for (const line of lines) {
    const colon = line.indexOf(":");
    headers.append(line.slice(0, colon), line.slice(colon + 1).trim());
  }
  const content = at === -1 ? "" : text.slice(at + 4);
  const body: unknown = content.startsWith("{") ? JSON.parse(content) : {};
  const members = typeof body === "object" && body !== null ? Object.entries(body) : [];
  return {
    status: Number(first.split(" ")[1] ?? 0),
    headers,
    text: content,
    body: Object.fromEntries(members),
  };
}
