import type { Log } from "../log.ts";
import type { Cancel, Timers } from "../ports/platform.ts";
import type { StoreListener } from "../ports/revocation-store.ts";
import type { RedisConnection } from "./connection.ts";
import type { StoreKeys } from "./keys.ts";
import { announcementIn } from "./replies.ts";

/** A half-open connection brings no messages and no error: only an unanswered call shows it. */
const heartbeatMs = 5_000;

export interface StoreSubscriber {
  listen(listener: StoreListener): Promise<Cancel>;
  close(): void;
}

/**
 * One connection for all listeners of a process; opened for the first one. Each time it is established again the
 * listeners are told of a gap, after it listens: what is lost lies before, what follows arrives.
 */
export function createStoreSubscriber(deps: {
  connection: RedisConnection;
  keys: StoreKeys;
  timers: Timers;
  log: Log;
}): StoreSubscriber {
  const { connection, keys, timers, log } = deps;
  const { redis } = connection;
  const listeners = new Set<StoreListener>();
  let opened: Promise<void> | undefined;
  let hadConnection = false;
  let cancelHeartbeat: Cancel = () => undefined;

  function each(tell: (listener: StoreListener) => void): void {
    for (const listener of listeners) tell(listener);
  }

  async function listenOnServer(): Promise<void> {
    try {
      await redis.subscribe(keys.announcements, keys.progress);
    } catch (error) {
      log.warn("redis.subscription-failed", { err: error });
      redis.disconnect(true);
      return;
    }
    if (hadConnection) each((listener) => listener.onGap?.());
    hadConnection = true;
    scheduleHeartbeat();
  }

  function scheduleHeartbeat(): void {
    cancelHeartbeat();
    cancelHeartbeat = timers.after(heartbeatMs, () => {
      redis.ping().then(scheduleHeartbeat, (error: unknown) => {
        log.debug("redis.heartbeat-failed", { err: error });
        // A connection that is down already comes back by itself, and starts the heartbeat again.
        if (redis.status === "ready") redis.disconnect(true);
      });
    });
  }

  function hear(channel: string, message: Buffer): void {
    const tell = decode(channel, message);
    if (tell !== null) each(tell);
  }

  /** What cannot be read may have been an announcement: a gap. */
  function decode(channel: string, message: Buffer): ((listener: StoreListener) => void) | null {
    try {
      return channel === keys.announcements ? announcementTold(message) : progressTold(message);
    } catch (error) {
      log.warn("redis.message-not-understood", { channel, err: error });
      return (listener) => listener.onGap?.();
    }
  }

  redis.on("messageBuffer", (channel: Buffer, message: Buffer) => hear(channel.toString("utf8"), message));

  function open(): Promise<void> {
    return new Promise((resolve) => {
      redis.on("ready", () => void listenOnServer().then(resolve));
      redis.once("close", () => {
        hadConnection = true;
        resolve();
      });
      void connection.tryToOpen();
    });
  }

  return {
    async listen(listener) {
      listeners.add(listener);
      opened ??= open();
      await opened;
      return () => void listeners.delete(listener);
    },
    close() {
      listeners.clear();
      cancelHeartbeat();
      connection.close();
    },
  };
}

function announcementTold(message: Buffer) {
  const announcement = announcementIn(message);
  return (listener: StoreListener) => listener.onAnnouncement?.(announcement);
}

/** `report <instance id>` or `applied <event id> ...`; other kinds are a newer version's. */
function progressTold(message: Buffer) {
  const [kind, ...rest] = message.toString("utf8").split(" ");
  if (kind === "report") return (listener: StoreListener) => listener.onReport?.(rest.join(" "));
  if (kind === "applied") return (listener: StoreListener) => listener.onApplied?.(rest);
  return null;
}
