import { createBlacklist } from "../../api/blacklist/blacklist.ts";
import { type BlacklistFeed, startBlacklistFeed } from "../../api/blacklist/blacklist-feed.ts";
import type { FeedDeps } from "../../api/blacklist/feed-deps.ts";
import { createInProcessStoreServer } from "../../shared/in-process/revocation-store.ts";
import type { Log } from "../../shared/log.ts";
import type {
  Announcement,
  InstanceReport,
  RegisteredInstance,
  RevocationStore,
  StoreListener,
  SyncAnswer,
} from "../../shared/ports/revocation-store.ts";
import type { Addition } from "../../shared/revocation/addition.ts";
import { createFingerprinter } from "../../shared/revocation/fingerprint.ts";
import { createManualPlatform, type ManualPlatform } from "../support/manual-clock.ts";
import { repairEnd, usualLongest } from "../support/repair-end.ts";

const issuer = "https://quash.example";
const fingerprint = createFingerprinter(issuer);

/** So that a best_effort instance is covered, too. */
const longest = { ...usualLongest, maxStalenessMs: 3_600_000 };

export const instanceId = "instance-1";
export const syncIntervalMs = 1_000;
export const maxStalenessMs = 5_000;

/** Between the feed and the store: what a test may watch, hold up or put into the way. */
export interface Wire {
  readonly reports: InstanceReport[];
  readonly calls: string[];
  onSync: (call: () => Promise<SyncAnswer>) => Promise<SyncAnswer>;
  /** Before each chunk of a load and after the last. */
  onLoad: () => Promise<void>;
  onSignOff: (call: () => Promise<void>) => Promise<void>;
  /** In place of the delivery of an announcement. */
  onAnnouncement: (deliver: (announcement: Announcement) => void, announcement: Announcement) => void;
  announce: (announcement: Announcement) => void;
}

export async function createFeedWorld() {
  const platform = createManualPlatform();
  const server = createInProcessStoreServer(platform);
  const worker = server.connect();
  const logged: { level: string; event: string }[] = [];
  const wire = createWire();
  const store = tap(server.connect(), wire);
  const blacklist = createBlacklist({
    ...platform,
    fingerprint,
    ownIssuer: issuer,
    longestLifetimeMs: () => usualLongest.tokenLifetimeSeconds * 1_000,
  });
  const feeds: BlacklistFeed[] = [];

  return {
    platform,
    server,
    worker,
    wire,
    blacklist,
    fingerprint,
    logged,
    /** Makes the store valid under an incarnation, with what a ledger would hold. */
    async repair(incarnation: string, ...additions: Addition[]) {
      await worker.beginRepair("lock");
      await worker.repair("lock", additions);
      await worker.completeRepair(
        "lock",
        repairEnd(incarnation, { isFirst: incarnation === "first", longest }),
      );
    },
    async start(options: Partial<FeedDeps> = {}): Promise<BlacklistFeed> {
      const log = recordingLog(logged);
      const settings = { instanceId, syncIntervalMs, syncDeadlineMs: 2_500, maxStalenessMs };
      const { tokenLifetimeSeconds } = usualLongest;
      const feed = await startBlacklistFeed({
        ...platform,
        ...settings,
        tokenLifetimeSeconds,
        store,
        blacklist,
        log,
        policy: "strict",
        ...options,
      });
      feeds.push(feed);
      await platform.settle();
      return feed;
    },
    /** Tells the others what a user's deactivation tells. */
    deactivate: (user: string) => worker.add([cutOffOf(user, platform)]),
    claims: (user: string) => claimsOf(user, platform),
    tokenRevocation(user: string): Addition {
      const { iss, jti, exp } = claimsOf(user, platform);
      return { kind: "token", token: fingerprint(iss, jti), exp };
    },
    cutOff: (user: string) => cutOffOf(user, platform),
    isRefused: (user: string) => blacklist.isRevoked(claimsOf(user, platform)) !== null,
    async registered(): Promise<RegisteredInstance | undefined> {
      return (await worker.readInstances()).instances.find(({ id }) => id === instanceId);
    },
    events: (name: string) => logged.filter(({ event }) => event === name).length,
    async close() {
      wire.onSync = (call) => call();
      const closed = Promise.all(feeds.map((feed) => feed.close()));
      await platform.advance(10_000);
      await closed;
    },
  };
}

export type FeedWorld = Awaited<ReturnType<typeof createFeedWorld>>;

const cutOffOf = (user: string, { clock }: ManualPlatform): Addition => ({
  kind: "cut-off",
  subject: fingerprint(issuer, user),
  epoch: 1,
  notBefore: 0,
  until: Math.ceil(clock.wallMs() / 1000) + 900,
});

function claimsOf(user: string, { clock }: ManualPlatform) {
  const iat = Math.floor(clock.wallMs() / 1000);
  return { iss: issuer, sub: user, jti: `token of ${user}`, iat, exp: iat + 900, epoch: 0 };
}

function createWire(): Wire {
  return {
    reports: [],
    calls: [],
    onSync: (call) => call(),
    onLoad: () => Promise.resolve(),
    onSignOff: (call) => call(),
    onAnnouncement: (deliver, announcement) => deliver(announcement),
    announce: () => undefined,
  };
}

function tap(store: RevocationStore, wire: Wire): RevocationStore {
  return {
    ...store,
    sync(report) {
      wire.reports.push(report);
      wire.calls.push("sync");
      return wire.onSync(() => store.sync(report));
    },
    async *load() {
      wire.calls.push("load");
      for await (const chunk of store.load()) {
        await wire.onLoad();
        yield chunk;
      }
      await wire.onLoad();
    },
    signOff(id) {
      wire.calls.push("signOff");
      return wire.onSignOff(() => store.signOff(id));
    },
    async subscribe(listener: StoreListener) {
      wire.calls.push("subscribe");
      wire.announce = (announcement) => listener.onAnnouncement?.(announcement);
      const subscription = await store.subscribe({
        ...listener,
        onAnnouncement: (announcement) => wire.onAnnouncement(wire.announce, announcement),
      });
      return {
        close() {
          wire.calls.push("unsubscribe");
          return subscription.close();
        },
      };
    },
  };
}

function recordingLog(logged: { level: string; event: string }[]): Log {
  const at = (level: string) => (event: string) => void logged.push({ level, event });
  const log: Log = {
    debug: at("debug"),
    info: at("info"),
    warn: at("warn"),
    error: at("error"),
    child: () => log,
  };
  return log;
}
