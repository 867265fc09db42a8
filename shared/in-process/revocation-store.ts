import { AppError, dependencyUnavailable } from "../errors.ts";
import type { Platform } from "../ports/platform.ts";
import type { Announcement, RevocationStore, StoreListener } from "../ports/revocation-store.ts";
import type { Addition } from "../revocation/addition.ts";
import type { PackedAdditions } from "../revocation/packed-additions.ts";
import { StoreContents } from "./store-contents.ts";

/** Whether the announcement is lost on its way to one subscriber. */
export type DropsAnnouncement = (announcement: Announcement, subscriber: number) => boolean;

/** One store in this process, with as many connections as are wanted. Positions and expiry go by `clock`. */
export interface InProcessStoreServer {
  connect(): RevocationStore;
  /** What it holds at this moment, in chunks: for who looks at it from outside. */
  records(): Iterable<PackedAdditions>;
  /** Null while it is invalid. */
  readonly incarnation: string | null;
  /** As FLUSHALL: everything is gone, connections stay. */
  wipe(): void;
  /** The contents stay, the replication id changes, connections break for a moment. */
  restart(): void;
  /** As `restart`, and the last `loseLast` writes (of any kind) are gone. */
  failOver(options?: { readonly loseLast?: number }): void;
  /** As `failOver`; returns the server that was the primary: cut off, and complete, and it does not know. */
  split(options?: { readonly loseLast?: number }): InProcessStoreServer;
  /** As a bug or a bit flip: the entries that are chosen are gone from the buckets, and nobody is told. How many. */
  lose(isLost: (addition: Addition) => boolean): number;
  /** As if another program had written into the bucket, such as `tokens:29468160`: it can be read no more. */
  damage(bucket: string): void;
  /** As if another program had taken the instance away. */
  loseInstance(instanceId: string): void;
  /** While not available every call is refused and nothing is announced. */
  setAvailable(isAvailable: boolean): void;
  dropAnnouncements(drops: DropsAnnouncement): void;
}

export type StoreServerDeps = Pick<Platform, "clock" | "timers"> & {
  /** How many writes a fail-over can lose at most; 0 unless given. */
  readonly undoDepth?: number;
};

interface Subscriber {
  readonly number: number;
  readonly listener: StoreListener;
}

export function createInProcessStoreServer(deps: StoreServerDeps): InProcessStoreServer {
  return serve(new StoreContents({ clock: deps.clock, undoDepth: deps.undoDepth ?? 0 }));
}

function serve(contents: StoreContents): InProcessStoreServer {
  const wire = createWire();
  return {
    connect: () => createHandle(contents, wire),
    records: () => contents.chunks(),
    get incarnation() {
      return contents.incarnation;
    },
    wipe: () => contents.wipe(),
    restart() {
      contents.takeOver(0);
      wire.breakConnections();
    },
    failOver({ loseLast = 0 } = {}) {
      contents.takeOver(loseLast);
      wire.breakConnections();
    },
    split({ loseLast = 0 } = {}) {
      const cutOff = serve(contents.copy());
      contents.takeOver(loseLast);
      wire.breakConnections();
      return cutOff;
    },
    loseInstance: (instanceId) => contents.loseInstance(instanceId),
    damage: (bucket) => contents.damage(bucket),
    lose: (isLost) => contents.lose(isLost),
    setAvailable: (isAvailable) => wire.setAvailable(isAvailable),
    dropAnnouncements: (drops) => wire.setDrops(drops),
  };
}

type Wire = ReturnType<typeof createWire>;

/** What lies between the server and its clients: each way takes one turn of the microtask queue. */
function createWire() {
  const subscribers = new Set<Subscriber>();
  let isAvailable = true;
  let drops: DropsAnnouncement = () => false;
  let subscriptions = 0;

  function tell(deliver: (subscriber: Subscriber) => void): void {
    for (const subscriber of subscribers) {
      queueMicrotask(() => {
        if (subscribers.has(subscriber)) deliver(subscriber);
      });
    }
  }
  const breakConnections = () => tell(({ listener }) => listener.onGap?.());

  return {
    breakConnections,
    setAvailable(available: boolean) {
      if (available && !isAvailable) breakConnections();
      isAvailable = available;
    },
    setDrops(wanted: DropsAnnouncement) {
      drops = wanted;
    },
    async call<T>(step: () => T): Promise<T> {
      await Promise.resolve();
      if (!isAvailable) throw dependencyUnavailable("redis", new Error("the store is switched off"));
      return step();
    },
    announce(announcement: Announcement) {
      tell(({ listener, number }) => {
        if (!drops(announcement, number)) listener.onAnnouncement?.(announcement);
      });
    },
    report: (instanceId: string) => tell(({ listener }) => listener.onReport?.(instanceId)),
    applied: (eventIds: readonly string[]) => tell(({ listener }) => listener.onApplied?.(eventIds)),
    subscribe(listener: StoreListener) {
      subscriptions += 1;
      const subscriber = { number: subscriptions, listener };
      subscribers.add(subscriber);
      return () => void subscribers.delete(subscriber);
    },
  };
}

function createHandle(contents: StoreContents, wire: Wire): RevocationStore {
  const unsubscribes = new Set<() => void>();
  let isClosed = false;
  const call = <T>(step: () => T) =>
    wire.call(() => {
      if (isClosed) throw dependencyUnavailable("redis", new Error("the connection is closed"));
      return step();
    });

  return {
    add: (additions, { extend = false } = {}) =>
      call(() => {
        const added = contents.add(additions, extend);
        if (added === null) throw storeInvalid();
        if (added.announcement !== null) wire.announce(added.announcement);
        return added.written;
      }),
    sync: (report) =>
      call(() => {
        const { answer, moved } = contents.sync(report);
        if (moved) wire.report(report.instanceId);
        return answer;
      }),
    async *load() {
      const chunks = contents.chunks();
      for (let next = await call(() => chunks.next()); !next.done; next = await call(() => chunks.next())) {
        yield next.value;
      }
      if (contents.damaged.length > 0) throw storeInvalid();
    },
    readDamaged: () => call(() => ({ buckets: contents.damaged, foreign: new Map() })),
    signOff: (instanceId) =>
      call(() => {
        if (contents.signOff(instanceId)) wire.report(instanceId);
      }),
    readInstances: () => call(() => contents.readInstances()),
    removeInstances: (seen) => call(() => contents.removeInstances(seen)),
    subscribe: (listener) =>
      call(() => {
        const unsubscribe = wire.subscribe(listener);
        unsubscribes.add(unsubscribe);
        return {
          close() {
            unsubscribe();
            unsubscribes.delete(unsubscribe);
            return Promise.resolve();
          },
        };
      }),
    notifyApplied: (eventIds) => call(() => wire.applied(eventIds)),
    readState: () => call(() => contents.readState()),
    wantLongest: (longest) => call(() => contents.wantLongest(longest)),
    confirmLongest: (longest) => call(() => contents.confirmLongest(longest)),
    lowerLongest: (lowering) => call(() => contents.lowerLongest(lowering)),
    beginRepair: (lock, givenUp = []) => call(() => contents.beginRepair(lock, givenUp)),
    repair: (lock, additions) => call(() => contents.repair(lock, additions)),
    discard: (lock, buckets) => call(() => contents.discard(lock, buckets)),
    completeRepair: (lock, repaired) => call(() => contents.completeRepair(lock, repaired)),
    trimFeed: (keepMs, limit) => call(() => contents.trimFeed(keepMs, limit)),
    purgeExpired: () => call(() => contents.purgeExpired()),
    ping: () =>
      call(() => true).catch((error: unknown) => {
        if (error instanceof AppError) return false;
        throw error;
      }),
    close() {
      isClosed = true;
      for (const unsubscribe of unsubscribes) unsubscribe();
      return Promise.resolve();
    },
  };
}

const storeInvalid = () => new AppError("store-invalid", "The revocation store is being repaired.");
