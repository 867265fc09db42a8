import { createBlacklist } from "../../api/blacklist/blacklist.ts";
import { type BlacklistFeed, startBlacklistFeed } from "../../api/blacklist/blacklist-feed.ts";
import type { FeedDeps } from "../../api/blacklist/feed-deps.ts";
import { dependencyUnavailable } from "../../shared/errors.ts";
import { silentLog } from "../../shared/log.ts";
import type { LedgerRow } from "../../shared/ports/ledger.ts";
import type { RevocationStore } from "../../shared/ports/revocation-store.ts";
import { createInstanceObserver } from "../../shared/receipts/instance-observer.ts";
import { createSettleReceipts } from "../../shared/receipts/settle-receipts.ts";
import { issuer, tokenLifetimeSeconds, type WorkerWorld } from "./worker-world.ts";

/** What an API instance knows of the revocations, in a worker's world: with a link to the store that can be cut. */
export interface WorldInstance {
  readonly feed: BlacklistFeed;
  cut(): void;
  restore(): void;
  /** Whether it accepts a token of the first epoch. */
  accepts(subject: string, jti: string): boolean;
  /** How many revocations it holds. */
  entries(): number;
  close(): Promise<void>;
}

export async function startWorldInstance(
  world: WorkerWorld,
  options: Partial<FeedDeps> = {},
): Promise<WorldInstance> {
  const { platform, names } = world;
  const { fingerprint } = names;
  const clock = options.clock ?? platform.clock;
  const link = { isCut: false };
  const blacklist = createBlacklist({
    ...platform,
    clock,
    fingerprint,
    ownIssuer: issuer,
    longestLifetimeMs: () => tokenLifetimeSeconds * 1_000,
  });
  const feed = await startBlacklistFeed({
    ...platform,
    clock,
    store: overLink(world.storeServer.connect(), link),
    blacklist,
    instanceId: "one",
    log: silentLog,
    syncIntervalMs: 1_000,
    syncDeadlineMs: 1_000,
    maxStalenessMs: 5_000,
    tokenLifetimeSeconds,
    policy: "strict",
    ...options,
  });
  return {
    feed,
    cut: () => void (link.isCut = true),
    restore: () => void (link.isCut = false),
    accepts(subject, jti) {
      const iat = Math.floor(clock.wallMs() / 1_000);
      const claims = { iss: issuer, sub: subject, jti, iat, exp: iat + tokenLifetimeSeconds, epoch: 0 };
      return feed.isAccepting() && blacklist.isRevoked(claims) === null;
    },
    entries: () => blacklist.entries,
    async close() {
      const closing = feed.close();
      await platform.advance(10_000);
      await closing;
    },
  };
}

/** Settles receipts as a process does that has just been started. */
export function settleAnew({ store, platform, database }: WorkerWorld) {
  const { clock } = platform;
  const observer = createInstanceObserver({ store, clock });
  const settleReceipts = createSettleReceipts({ ledger: database.ledger, observer, clock });
  return async (row: LedgerRow): Promise<string | undefined> => (await settleReceipts([row]))[0]?.row.status;
}

function overLink(store: RevocationStore, link: { readonly isCut: boolean }): RevocationStore {
  const cutOff = () => Promise.reject(dependencyUnavailable("redis", new Error("the link is cut")));
  return {
    ...store,
    sync: (report) => (link.isCut ? cutOff() : store.sync(report)),
    signOff: (id) => (link.isCut ? cutOff() : store.signOff(id)),
    subscribe: (listener) =>
      store.subscribe({
        ...listener,
        onAnnouncement: (announcement) => {
          if (!link.isCut) listener.onAnnouncement?.(announcement);
        },
      }),
  };
}
