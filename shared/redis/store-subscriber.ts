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
 *
 * Every instance reports after an announcement. So a process listens to the progress only while somebody there wants
 * to hear of it: if all did, each announcement to N instances would end in N * N messages.
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
  /** On this connection; commands take effect in their order, so a later one may be sent before it is answered. */
  let progress: Promise<void> | undefined;

  const isProgressWanted = () => [...listeners].some(wantsProgress);

  function each(tell: (listener: StoreListener) => void): void {
    for (const listener of listeners) tell(listener);
  }

  /** False, and the connection is made anew, where that failed. */
  async function subscribe(channel: string): Promise<boolean> {
    try {
      await redis.subscribe(channel);
      return true;
    } catch (error) {
      log.warn("redis.subscription-failed", { err: error });
      redis.disconnect(true);
      return false;
    }
  }

  async function listenOnServer(): Promise<void> {
    progress = undefined;
    const [isListening] = await Promise.all([
      subscribe(keys.announcements),
      isProgressWanted() ? followProgress() : undefined,
    ]);
    if (!isListening) return;
    if (hadConnection) each((listener) => listener.onGap?.());
    hadConnection = true;
    scheduleHeartbeat();
  }

  /** While there is no connection: the next one asks what is wanted, and its listeners are told of a gap. */
  async function followProgress(): Promise<void> {
    if (redis.status !== "ready") return;
    progress ??= subscribe(keys.progress).then(() => undefined);
    await progress;
  }

  function leaveProgress(): void {
    if (progress === undefined || isProgressWanted()) return;
    progress = undefined;
    redis.unsubscribe(keys.progress).catch((error: unknown) => {
      log.debug("redis.unsubscription-failed", { err: error });
    });
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
      if (wantsProgress(listener)) await followProgress();
      return () => {
        listeners.delete(listener);
        leaveProgress();
      };
    },
    close() {
      listeners.clear();
      cancelHeartbeat();
      connection.close();
    },
  };
}

const wantsProgress = (listener: StoreListener) => "onReport" in listener || "onApplied" in listener;

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
