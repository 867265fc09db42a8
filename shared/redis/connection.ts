import { Redis } from "ioredis";
import type { ConnectionAdvisor } from "../connection-advisor.ts";
import { dependencyUnavailable } from "../errors.ts";
import type { Log } from "../log.ts";
import type { RedisAddress } from "./address.ts";
import type { Script } from "./scripts/script.ts";

/** A call that takes longer fails: it may have happened. */
const commandTimeoutMs = 2_000;
/** A connection on which an answer is overdue for so long is given up and opened again. */
const socketTimeoutMs = 4_000;
const reconnectAtMostEveryMs = 1_000;

export type Argument = string | Buffer | number;

/** One connection. Calls fail at once while it is down, are never sent twice, and reject with AppErrors only. */
export interface RedisConnection {
  readonly redis: Redis;
  call(command: string, ...args: readonly Argument[]): Promise<unknown>;
  /** By its digest; sent whole once to a server that does not know it. */
  run(script: Script, keys: readonly string[], args: readonly Argument[]): Promise<unknown>;
  /** Resolves once it is usable, or the first attempt has failed. */
  tryToOpen(): Promise<void>;
  close(): void;
}

export interface ConnectionOptions extends RedisAddress {
  readonly name: string;
  readonly log: Log;
  readonly advisor: ConnectionAdvisor;
  /** 2 s unless given. */
  readonly commandTimeoutMs?: number;
}

export function createConnection(options: ConnectionOptions): RedisConnection {
  const { advisor } = options;
  const redis = new Redis(options.url, {
    ...(options.caPem === undefined ? {} : { tls: { ca: [options.caPem] } }),
    lazyConnect: true,
    connectTimeout: 2_000,
    // ioredis keeps the process alive for so long after a disconnect, even of a socket that is closed already.
    disconnectTimeout: 200,
    commandTimeout: options.commandTimeoutMs ?? commandTimeoutMs,
    socketTimeout: socketTimeoutMs,
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    autoResubscribe: false,
    maxRetriesPerRequest: 0,
    retryStrategy: (attempts) => Math.min(50 * 2 ** Math.min(attempts, 10), reconnectAtMostEveryMs),
    // After a fail-over the old primary refuses writes: ask again who is the primary.
    reconnectOnError: (error) => error.message.startsWith("READONLY"),
  });
  let isClosing = false;
  logStateChanges({ redis, advisor, log: options.log.child({ connection: options.name }) }, () => isClosing);

  async function asAppError<T>(answer: Promise<T>): Promise<T> {
    try {
      return await answer;
    } catch (error) {
      // What the server itself says; a connection that is down has told its reason.
      if (error instanceof Error && error.name === "ReplyError") advisor.failed(error);
      throw dependencyUnavailable("redis", error);
    }
  }

  const call = (command: string, ...args: readonly Argument[]) =>
    asAppError(redis.callBuffer(command, ...args));

  return {
    redis,
    call,
    run: (script, keys, args) =>
      asAppError(
        redis.callBuffer("EVALSHA", script.sha, keys.length, ...keys, ...args).catch((error: unknown) => {
          if (!(error instanceof Error) || !error.message.startsWith("NOSCRIPT")) throw error;
          return redis.callBuffer("EVAL", script.source, keys.length, ...keys, ...args);
        }),
      ),
    tryToOpen: () =>
      new Promise((resolve) => {
        redis.once("ready", () => resolve());
        redis.once("close", () => resolve());
        redis.connect().catch(() => resolve());
      }),
    close() {
      isClosing = true;
      redis.disconnect();
    },
  };
}

/** Without a listener for `error` the process would die; with a line per attempt the log would drown. */
function logStateChanges(
  { redis, advisor, log }: Pick<ConnectionOptions, "advisor" | "log"> & { readonly redis: Redis },
  isClosing: () => boolean,
): void {
  let isDown = false;
  let lastError: unknown;
  redis.on("error", (error: unknown) => {
    lastError = error;
  });
  redis.on("close", () => {
    if (!isDown && !isClosing())
      log.warn("redis.disconnected", lastError === undefined ? {} : { err: lastError });
    if (!isClosing()) advisor.failed(lastError);
    isDown = true;
  });
  redis.on("ready", () => {
    advisor.worked();
    if (isDown) log.info("redis.connected");
    isDown = false;
    lastError = undefined;
  });
}
