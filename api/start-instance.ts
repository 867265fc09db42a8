import type { RequestListener } from "node:http";
import { createAuditRecorder } from "../shared/audit/audit-recorder.ts";
import { createCarryOut } from "../shared/holds/carry-out.ts";
import { createGuardAdministrators } from "../shared/holds/guard-administrators.ts";
import { createHoldRule } from "../shared/holds/hold-rule.ts";
import { createInProcessFailureCounters } from "../shared/in-process/failure-counters.ts";
import { createClosers } from "../shared/lifecycle.ts";
import type { Log } from "../shared/log.ts";
import { createMetrics } from "../shared/metrics.ts";
import { createPublishEvent } from "../shared/outbox/publish-event.ts";
import type { FailureCounters } from "../shared/ports/failure-counters.ts";
import type { Parts } from "../shared/ports/parts.ts";
import type { PasswordHasher, Platform } from "../shared/ports/platform.ts";
import { createInstanceObserver } from "../shared/receipts/instance-observer.ts";
import { createSettleReceipts } from "../shared/receipts/settle-receipts.ts";
import { createFingerprinter } from "../shared/revocation/fingerprint.ts";
import { longestOfAny } from "../shared/revocation/longest.ts";
import { millisecondsOf } from "../shared/revocation/position.ts";
import { createClientAddress, parseTrustProxy, trustNobody } from "./abuse/client-address.ts";
import { createFailureLimiter } from "./abuse/failure-limiter.ts";
import { failureLimitsOf } from "./abuse/settings.ts";
import { createApp } from "./app.ts";
import { createNoteClientFailure } from "./audit/client-failures.ts";
import { createRepeats } from "./audit/count-repeats.ts";
import { createNoteRefusal } from "./audit/refusals.ts";
import { createNoteSignIn } from "./audit/sign-ins.ts";
import { type Blacklist, createBlacklist } from "./blacklist/blacklist.ts";
import { type BlacklistFeed, startBlacklistFeed } from "./blacklist/blacklist-feed.ts";
import { createOpenConnections } from "./blacklist/connections.ts";
import { createMemoryAlarm } from "./blacklist/memory-alarm.ts";
import { startReplicaComparison } from "./blacklist/replica-comparison.ts";
import { longestAcceptanceMs } from "./blacklist/staleness-policy.ts";
import { createAcceptEvent } from "./events/accept-event.ts";
import type { KeyUpdates } from "./keys/key-watch.ts";
import { createMetricsText } from "./metrics-text.ts";
import { createOauth } from "./oauth/create-oauth.ts";
import { createRaiseLongest } from "./raise-longest.ts";
import { createReadiness } from "./readiness.ts";
import { createReadReceipts } from "./receipts/read-receipts.ts";
import { createReceiptWaiter } from "./receipts/receipt-waiter.ts";
import { type ServiceSettings, syncDeadlineMs } from "./settings.ts";
import { startSetup } from "./setup.ts";
import { startKeyAnnouncer } from "./tokens/announce-revoked-keys.ts";
import { createExplainToken } from "./tokens/explain-token.ts";
import { followKeys } from "./tokens/follow-keys.ts";
import { createIssueToken } from "./tokens/issue-token.ts";
import { createKeyRing } from "./tokens/key-ring.ts";
import type { KeySet } from "./tokens/keys.ts";
import { createPrepareTokens } from "./tokens/prepare-tokens.ts";
import { createVerifyOnce } from "./tokens/verify-once.ts";
import { createVerifyToken } from "./tokens/verify-token.ts";
import { createBoundedHasher } from "./users/bounded-hasher.ts";
import { createUseCases } from "./users/create-use-cases.ts";
import { createEmailOfUser } from "./users/email-of-user.ts";
import { createNoteHolds } from "./users/note-holds.ts";
import { hashOfNobody } from "./users/password-hasher.ts";
import { createBackgroundPublisher } from "./users/publish-in-background.ts";
import { type AuthenticateUpgrade, createAuthenticateUpgrade } from "./web-sockets/authenticate-upgrade.ts";
import { createGuardWebSocket, type GuardWebSocket } from "./web-sockets/guard-web-socket.ts";

export interface InstanceOptions {
  readonly settings: ServiceSettings;
  readonly platform: Platform;
  readonly log: Log;
  readonly parts: Parts;
  readonly keys: KeySet;
  /** Where new keys come from while it runs. */
  readonly keyUpdates?: KeyUpdates | undefined;
  readonly hasher: PasswordHasher;
  /** Where failed sign-ins are counted; in this process's memory unless given. Called once; the instance closes it. */
  readonly openFailureCounters?: () => FailureCounters;
  /** Metrics of the process itself: for one of those that share a process. */
  readonly withProcessMetrics?: boolean;
}

export interface InstanceDeps extends InstanceOptions {
  readonly instanceId: string;
  /** The settings and what is there contradict each other: it will never be ready. */
  onFailure(error: unknown): void;
}

/** An API instance without its listener. */
export interface RunningInstance {
  /** Answers one request. Never throws. */
  readonly handle: RequestListener;
  readonly blacklist: Blacklist;
  readonly feed: BlacklistFeed;
  /** For WebSockets, which no route of ours offers: the checks of the request, and the end when the token's comes. */
  readonly authenticateUpgrade: AuthenticateUpgrade;
  readonly guardWebSocket: GuardWebSocket;
  /** Resolves once it accepts tokens and everything is there that it makes at its start. */
  whenReady(): Promise<void>;
  /** Not ready from now on; those who wait and those who listen get their last words. Idempotent. */
  drain(): Promise<void>;
  /** Closes what it opened, and none of the parts that it was given. Idempotent. */
  close(): Promise<void>;
  /** Names of what is still open. */
  readonly open: readonly string[];
}

/** Enough for the tokens that most fleets see within a lifetime; what does not fit is verified again. */
const verificationCache = { maxEntries: 50_000, maxBytes: 64 * 1024 * 1024 } as const;

/** Wires an API instance, and starts what it does by itself: the feed, the first set-up. */
export async function startInstance(options: InstanceDeps): Promise<RunningInstance> {
  const { settings, platform, log, parts, instanceId } = options;
  const { database, store, eventLog } = parts;
  const { users, sessions, ledger, idempotency, safeguards } = database;
  const { clock, timers, ids } = platform;
  const closers = createClosers(log);
  const listeners = createClosers(log);
  const metrics = createMetrics({ withProcessMetrics: options.withProcessMetrics ?? true, of: "api" });
  const issuer = settings.TOKEN_ISSUER;
  const audience = settings.TOKEN_AUDIENCE;
  const lifetimeSeconds = settings.TOKEN_LIFETIME_SECONDS;
  const policy = settings.STALENESS_POLICY;
  const policiesOfRoutes = Object.values(settings.ROUTE_POLICIES);
  const longest = {
    tokenLifetimeSeconds: lifetimeSeconds,
    maxStalenessMs: longestAcceptanceMs([policy, ...policiesOfRoutes], settings.MAX_STALENESS_MS),
  };
  const raiseLongest = createRaiseLongest({ ledger, store }, longest);
  /** By all instances; as long as may be until the store has told. */
  let inUse = longestOfAny;
  let drainingSinceMs: number | null = null;
  const keys = createKeyRing({
    keys: options.keys,
    clock,
    longestLifetimeSeconds: () => inUse.tokenLifetimeSeconds,
  });

  const audit = createAuditRecorder({
    ...platform,
    store: database.audit,
    process: "api",
    instanceId,
    log,
    metrics,
  });
  closers.add("audit", () => audit.close());
  const repeats = createRepeats({ audit, clock, timers });
  closers.add("counted repeats", () => repeats.close());
  const noteRefusal = createNoteRefusal(repeats);

  const nobodysHash = await hashOfNobody(options.hasher, platform.randomness);
  const publisher = createBackgroundPublisher({
    publishEvent: createPublishEvent({ users, ledger, eventLog }),
    log,
  });
  closers.add("publisher", () => publisher.settled());

  const counters = (options.openFailureCounters ?? createInProcessFailureCounters)();
  closers.add("failure counters", () => counters.close());
  const clientAddress = createClientAddress(parseTrustProxy(settings.TRUST_PROXY) ?? trustNobody);
  const failureLimiter = createFailureLimiter({ counters, limits: failureLimitsOf(settings), log, metrics });

  const guardAdministrators = createGuardAdministrators({ ...platform, users, safeguards });
  const issueToken = createIssueToken({ keys, issuer, audience, lifetimeSeconds, ids, sessions });
  const prepareTokens = createPrepareTokens({
    raise: raiseLongest,
    feed: { isAccepting: () => feed.isAccepting() },
  });
  const useCases = createUseCases({
    ...platform,
    guardAdministrators,
    holdRule: createHoldRule({ safeguards, clock, settings }),
    carryOut: createCarryOut({ users, guardAdministrators, clock, namespace: settings.NAMESPACE }),
    ...createNoteHolds({ audit, log, metrics }),
    users,
    sessions,
    ledger,
    hasher: createBoundedHasher(options.hasher),
    nobodysHash,
    issueToken,
    prepareTokens,
    refreshLifetimeSeconds: settings.REFRESH_LIFETIME_SECONDS,
    refreshIdleSeconds: settings.REFRESH_IDLE_SECONDS,
    refreshRetrySeconds: settings.REFRESH_RETRY_SECONDS,
    namespace: settings.NAMESPACE,
    publish: publisher.publish,
    audit,
    noteSignIn: createNoteSignIn({ audit, repeats, clock }),
  });

  const fingerprint = createFingerprinter(issuer);
  const blacklist = createBlacklist({
    ...platform,
    fingerprint,
    ownIssuer: issuer,
    tokenLifetimeSeconds: lifetimeSeconds,
    longestLifetimeMs: () => inUse.tokenLifetimeSeconds * 1_000,
  });
  const ceilingBytes = settings.BLACKLIST_CEILING_MB * 1024 * 1024;
  const feed = await startBlacklistFeed({
    ...platform,
    store,
    blacklist,
    instanceId,
    log,
    syncIntervalMs: settings.SYNC_INTERVAL_MS,
    syncDeadlineMs,
    maxStalenessMs: settings.MAX_STALENESS_MS,
    tokenLifetimeSeconds: lifetimeSeconds,
    policy,
    routePolicies: policiesOfRoutes,
    onLongest: (confirmed) => {
      inUse = confirmed;
    },
    onAdvanced: (position) => {
      const addedAtMs = millisecondsOf(position);
      metrics.propagationSeconds.observe(Math.max(0, clock.wallMs() - addedAtMs) / 1_000);
    },
    onPruned: createMemoryAlarm({ blacklist, ceilingBytes, log }),
    onForeign: (count) => metrics.divergences.inc({ where: "store", cause: "feed-entry-foreign" }, count),
    onResync: (reason) => metrics.resyncs.inc({ reason }),
  });
  closers.add("blacklist feed", () => feed.close());
  const comparison = startReplicaComparison({ ...platform, store, blacklist, feed, log, metrics });
  closers.add("replica comparison", () => comparison.close());

  const observer = createInstanceObserver({ store, clock });
  const settleReceipts = createSettleReceipts({ ledger, observer, clock });
  const connections = createOpenConnections({ blacklist, feed, clock, timers, fingerprint, log });
  listeners.add("open streams", () => connections.close());
  const waiter = createReceiptWaiter({ store, ledger, settleReceipts, timers, log });
  listeners.add("receipt waiter", () => waiter.close());

  const setup = startSetup(
    [
      { name: "mongodb (the indexes, the first administrator)", run: prepareDatabase },
      { name: "mongodb and redis (the longest lifetime in use)", run: raiseLongest, isOptional: true },
      { name: "kafka (the topics)", run: () => eventLog.ensureTopics(), isOptional: true },
      // So that who waits for a receipt later finds it watching for the bound already.
      {
        name: "redis (who is registered)",
        run: async () => void (await observer.observe()),
        isOptional: true,
      },
    ],
    { ...platform, log, onFailure: (error) => options.onFailure(error) },
  );
  closers.add("setup", () => setup.close());

  const { CLOCK_TOLERANCE_SECONDS: clockToleranceSeconds } = settings;
  const verification = { keys, issuer, audience, clock, clockToleranceSeconds };
  const tokens = createVerifyOnce({
    verifyToken: createVerifyToken(verification),
    blacklist,
    clock,
    clockToleranceSeconds,
    cache: verificationCache,
  });
  const announcer = startKeyAnnouncer({
    ...platform,
    keys,
    ledger,
    eventLog,
    namespace: settings.NAMESPACE,
    log,
  });
  closers.add("key announcer", () => announcer.close());
  const following = followKeys({
    ring: keys,
    updates: options.keyUpdates,
    blacklist,
    issuer,
    tokens,
    connections,
    metrics,
    audit,
    log,
    onChange: () => announcer.wake(),
  });
  closers.add("keys", () => following.close());
  const receipts = createReadReceipts({ ledger, users, settleReceipts });
  const oauth = createOauth({
    ...verification,
    database,
    ids,
    log,
    feed,
    tokens,
    blacklist,
    metrics,
    noteRefusal,
    noteClientFailure: createNoteClientFailure(repeats, clock),
    failureLimiter,
    clientAddress,
    issueToken,
    prepareTokens,
    useCases,
  });
  const app = createApp({
    ...platform,
    log,
    metrics,
    keys,
    useCases,
    idempotency,
    oauth,
    waiter,
    observer,
    blacklist,
    feed,
    connections,
    instanceId,
    failureLimiter,
    clientAddress,
    acceptEvent: createAcceptEvent({
      ...database,
      eventLog,
      clock,
      audit,
      namespace: settings.NAMESPACE,
      ownIssuer: issuer,
    }),
    receipts,
    auditStore: database.audit,
    explainToken: createExplainToken({
      sessions,
      users,
      ledger,
      receipts,
      blacklist,
      feed,
      keys,
      clock,
      issuer,
      clockToleranceSeconds,
    }),
    noteRefusal,
    emailOfUser: createEmailOfUser({ users, timers }),
    readiness: createReadiness({ feed, setup, clock, drainingSinceMs: () => drainingSinceMs }),
    routePolicies: settings.ROUTE_POLICIES,
    tokens,
    metricsText: createMetricsText({ metrics, blacklist, feed, keys, tokens, ceilingBytes }),
    corsOrigins: settings.CORS_ORIGINS,
    isDraining: () => drainingSinceMs !== null,
  });
  const answer = app.callback();

  return {
    handle: (request, response) => void answer(request, response),
    blacklist,
    feed,
    authenticateUpgrade: createAuthenticateUpgrade({
      feed,
      tokens,
      blacklist,
      metrics,
      noteRefusal,
      ids,
      log,
    }),
    guardWebSocket: createGuardWebSocket({ connections, timers }),
    async whenReady() {
      await Promise.all([setup.whenDone(), feed.whenAccepting()]);
    },
    drain() {
      drainingSinceMs ??= clock.wallMs();
      return listeners.close();
    },
    close: () => closers.close(),
    get open() {
      return [...listeners.open, ...closers.open];
    },
  };

  async function prepareDatabase(): Promise<void> {
    await database.migrate();
    const { ADMIN_EMAIL: email, ADMIN_PASSWORD: password } = settings;
    if (email === undefined || password === undefined) return;
    if (await useCases.ensureAdministrator({ email, password })) log.info("administrator.created", { email });
  }
}
