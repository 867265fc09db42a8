import { Redis } from "ioredis";
import { afterEach, beforeEach } from "mocha";
import { type Log, silentLog } from "../../shared/log.ts";
import { createPlatform } from "../../shared/platform.ts";
import type { Clock, Timers } from "../../shared/ports/platform.ts";
import type { RevocationStore } from "../../shared/ports/revocation-store.ts";
import { connectRedisStore } from "../../shared/redis/revocation-store.ts";
import { repairWith } from "../contract/revocation-store.contract.ts";
import { createRedisProcess, type RedisProcess } from "./redis-process.ts";
import { freshNamespace } from "./services.ts";

export interface OwnRedis {
  readonly server: RedisProcess;
  readonly namespace: string;
  connect(options?: { log?: Log; url?: string; timers?: Timers; clock?: Clock }): Promise<RevocationStore>;
  /** The same, with a first incarnation. */
  connectValid(options?: { log?: Log }): Promise<RevocationStore>;
  /** A plain client of the server. */
  withClient<T>(use: (redis: Redis) => Promise<T>, url?: string): Promise<T>;
}

/** Gives each test of the suite a server (not started yet) of its own, and closes what the test opened. */
export function useOwnRedis(): () => OwnRedis {
  let own: OwnRedis | undefined;
  const opened: RevocationStore[] = [];

  beforeEach(async () => {
    own = createOwnRedis(await createRedisProcess(), opened);
  });
  afterEach(async () => {
    await Promise.all(opened.splice(0).map((store) => store.close()));
    await own?.server.close();
  });
  return () => {
    if (own === undefined) throw new Error("only within a test");
    return own;
  };
}

function createOwnRedis(server: RedisProcess, opened: RevocationStore[]): OwnRedis {
  const namespace = freshNamespace();
  const own: OwnRedis = {
    server,
    namespace,
    async connect({ log = silentLog, url = server.url, ...platform } = {}) {
      const store = await connectRedisStore({ ...createPlatform(), ...platform, url, namespace, log });
      opened.push(store);
      return store;
    },
    async connectValid(options = {}) {
      const store = await own.connect(options);
      await repairWith(store, { incarnation: "first", isFirst: true });
      return store;
    },
    async withClient(use, url = server.url) {
      const redis = new Redis(url);
      try {
        return await use(redis);
      } finally {
        redis.disconnect();
      }
    },
  };
  return own;
}

/** Keeps the names of the events. */
export function createRecordingLog(): Log & { readonly lines: readonly string[] } {
  const lines: string[] = [];
  const note = (event: string) => void lines.push(event);
  const log: Log = { debug: note, info: note, warn: note, error: note, child: () => log };
  return { ...log, lines };
}
