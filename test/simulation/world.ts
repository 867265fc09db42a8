import type { ServiceSettings } from "../../api/settings.ts";
import { type RunningInstance, startInstance } from "../../api/start-instance.ts";
import type { KeySet } from "../../api/tokens/keys.ts";
import { ownSource } from "../../shared/events/event.ts";
import { createInProcessDatabaseServer } from "../../shared/in-process/database.ts";
import { InProcessEventLogServer } from "../../shared/in-process/event-log.ts";
import { silentLog } from "../../shared/log.ts";
import type { Parts } from "../../shared/ports/parts.ts";
import type { PasswordHasher } from "../../shared/ports/platform.ts";
import type { TokenRecord } from "../../shared/ports/session-store.ts";
import type { User } from "../../shared/ports/user-store.ts";
import { createFingerprinter } from "../../shared/revocation/fingerprint.ts";
import type { Names } from "../../workers/revoker/plan.ts";
import { startWorker } from "../../workers/start-worker.ts";
import { createRandom, type Random, uuidFrom } from "../support/random.ts";
import { History } from "./history.ts";
import { type Answer, inject, type Request } from "./inject.ts";
import { Link } from "./link.ts";
import { connectEventLog } from "./linked-event-log.ts";
import { connectDatabase } from "./observed-database.ts";
import type { Plan } from "./plan.ts";
import { Scheduler } from "./scheduler.ts";
import { SimProcess } from "./sim-process.ts";
import { StoreCluster } from "./store-cluster.ts";

export const namespace = "sim";
export const source = ownSource(namespace);
export const administrator = { email: "admin@example.com", password: "correct horse battery" };
export const passwordOfAll = "a password of them all";

/** As good as any where nobody attacks, and free. */
const fastHasher: PasswordHasher = {
  hash: (password) => Promise.resolve(`hash of ${password}`),
  verify: (hash, password) => Promise.resolve(hash === `hash of ${password}`),
};

/** A process of the system, with its links to the three servers. */
export interface Member {
  readonly process: SimProcess;
  readonly links: Readonly<Record<"redis" | "mongodb" | "kafka", Link>>;
  readonly isApi: boolean;
  readonly isBestEffort: boolean;
  /** Of an API process: the present life's, undefined while it starts. */
  instance: RunningInstance | undefined;
  /** When the latest sync was sent that this life got a valid answer to. */
  freshSentAtMs: number;
}

export interface WorldDeps {
  readonly plan: Plan;
  readonly keys: KeySet;
  readonly settings: ServiceSettings;
  readonly trace: (line: string) => void;
}

/** The servers, the processes and the ways between them. */
export class World {
  readonly scheduler = new Scheduler();
  readonly history = new History();
  readonly random: Random;
  readonly plan: Plan;
  readonly database = createInProcessDatabaseServer();
  readonly log: InProcessEventLogServer;
  readonly logServer: SimProcess;
  readonly storeServer: SimProcess;
  readonly store: StoreCluster;
  readonly members: readonly Member[];
  readonly records = new Map<string, TokenRecord>();
  readonly states = new Map<string, User>();
  readonly userIds: readonly string[];
  /** Records that can be no event, by id, with the time of their publication: each must end as a dead letter. */
  readonly poisons = new Map<string, number>();
  clocksWereStepped = false;
  /** Upstream events that were published before may be lost: retention has run out. */
  lostEventsUntilMs = -Infinity;
  isHealed = false;
  /** Sends an instance many requests in a time, counted from now, in which it might accept what is dead. */
  hunt: (member: Member, during: { fromMs: number; toMs: number }) => void = () => undefined;
  /** True time until which nothing is promised but safety: a fault was at work. */
  disturbedUntilMs = 0;
  readonly #deps: WorldDeps;

  constructor(deps: WorldDeps) {
    this.#deps = deps;
    this.plan = deps.plan;
    const { apis, workers, users, bestEffort } = deps.plan.conditions;
    this.random = createRandom(`world ${deps.plan.seed}`);
    this.storeServer = this.#createProcess("store");
    this.logServer = this.#createProcess("log");
    const { scheduler } = this;
    const storePlatform = this.storeServer.start();
    this.store = new StoreCluster({ ...storePlatform, scheduler, random: this.random.fork("announcements") });
    this.log = new InProcessEventLogServer({ ...this.logServer.start(), namespace });
    this.members = [
      ...Array.from({ length: apis }, (_, at) => this.#createMember(`api-${at}`, at === bestEffort)),
      ...Array.from({ length: workers }, (_, at) => this.#createMember(`worker-${at}`, false)),
    ];
    const ids = this.random.fork("users");
    this.userIds = Array.from({ length: users }, () => uuidFrom(ids));
  }

  get names(): Names {
    const { TOKEN_ISSUER: ownIssuer } = this.#deps.settings;
    return { fingerprint: createFingerprinter(ownIssuer), ownIssuer };
  }

  get apis(): readonly Member[] {
    return this.members.filter(({ isApi }) => isApi);
  }

  get nowMs(): number {
    return this.scheduler.nowMs;
  }

  trace(line: string): void {
    this.#deps.trace(`${this.nowMs.toFixed(3)} ${line}`);
  }

  async open(): Promise<void> {
    const { users } = this.database.connect();
    for (const [at, id] of this.userIds.entries()) {
      await users.create({
        id,
        email: emailOf(id),
        passwordHash: await fastHasher.hash(passwordOfAll),
        roles: ["user"],
        externalIds: [{ iss: "https://idp.test", sub: `person-${at}` }],
        createdAtMs: this.logServer.clock.wallMs() - 60_000,
      });
    }
    this.store.delivery.lostAlways = this.plan.conditions.lostAnnouncements;
    for (const member of this.members) this.startProcess(member);
  }

  startProcess(member: Member): void {
    if (!member.process.isDown) return;
    const platform = member.process.start();
    const { life } = member.process;
    member.instance = undefined;
    member.freshSentAtMs = -Infinity;
    this.trace(`${member.process.name} starts, life ${life}`);
    const parts = this.#connect(member);
    const started = member.isApi
      ? this.#startApi(member, { platform, parts })
      : this.#startWorker({ platform, parts });
    started.catch((error: unknown) => this.noteCrash(member.process.name, error));
  }

  noteCrash(who: string, error: unknown): void {
    const what = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
    this.history.violate("crash", this.nowMs, `${who} ended by itself: ${what}`);
  }

  /** Sends a request to an instance; rejects when no answer comes. The client waits on no process's clock. */
  request(member: Member, request: Request, onHandled?: () => void): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const { process } = member;
      const { life } = process;
      const delayMs = () => 0.2 + this.random.fraction() * 3;
      const giveUp = this.scheduler.after(20_000, () => reject(new Error("no answer")));
      const end = (how: () => void) => {
        giveUp();
        how();
      };
      const refuse = () => end(() => reject(new Error("connection refused")));
      this.scheduler.after(delayMs(), () => {
        if (!process.isAlive(life)) return refuse();
        process.deliver(life, () => {
          const { instance } = member;
          if (instance === undefined) return refuse();
          onHandled?.();
          void inject(instance.handle, request).then((answer) => {
            if (process.isAlive(life)) this.scheduler.after(delayMs(), () => end(() => resolve(answer)));
            return undefined;
          });
        });
      });
    });
  }

  #createProcess(name: string): SimProcess {
    const { clockErrorMs, rateError } = this.#deps.plan.conditions;
    const random = this.random.fork(name);
    return new SimProcess({
      name,
      scheduler: this.scheduler,
      random,
      wallOffsetMs: Math.round((random.fraction() * 2 - 1) * clockErrorMs),
      clockRate: 1 + (random.fraction() * 2 - 1) * rateError,
    });
  }

  #createMember(name: string, isBestEffort: boolean): Member {
    const process = this.#createProcess(name);
    const link = (to: "redis" | "mongodb" | "kafka", timeoutMs: number) =>
      new Link({ process, to, scheduler: this.scheduler, random: process.random.fork(to), timeoutMs });
    return {
      process,
      links: { redis: link("redis", 2_000), mongodb: link("mongodb", 3_000), kafka: link("kafka", 5_000) },
      isApi: name.startsWith("api"),
      isBestEffort,
      instance: undefined,
      freshSentAtMs: -Infinity,
    };
  }

  #connect(member: Member): Parts {
    const { history, scheduler, records, states } = this;
    const { life } = member.process;
    return {
      database: connectDatabase(this.database, member.links.mongodb, { history, scheduler, records, states }),
      eventLog: connectEventLog(this.log, member.links.kafka, scheduler),
      store: this.store.connect(member.links.redis, ({ incarnation }, sentAtMs) => {
        if (incarnation === null || member.process.life !== life) return;
        member.freshSentAtMs = Math.max(member.freshSentAtMs, sentAtMs);
      }),
    };
  }

  async #startApi(
    member: Member,
    { platform, parts }: Pick<StartOptions, "platform" | "parts">,
  ): Promise<void> {
    const { life } = member.process;
    const { conditions } = this.plan;
    const instance = await startInstance({
      settings: {
        ...this.#deps.settings,
        SYNC_INTERVAL_MS: conditions.syncIntervalMs,
        MAX_STALENESS_MS: conditions.maxStalenessMs,
        TOKEN_LIFETIME_SECONDS: conditions.tokenLifetimeSeconds,
        STALENESS_POLICY: member.isBestEffort ? "best_effort" : "strict",
      },
      platform,
      log: silentLog,
      parts,
      keys: this.#deps.keys,
      hasher: fastHasher,
      withProcessMetrics: false,
      instanceId: `${member.process.name}.${life}`,
      onFailure: (error) => this.noteCrash(member.process.name, error),
    });
    if (member.process.life === life) member.instance = instance;
  }

  async #startWorker({ platform, parts }: Pick<StartOptions, "platform" | "parts">): Promise<void> {
    const worker = await startWorker({
      settings: {
        namespace,
        issuer: this.#deps.settings.TOKEN_ISSUER,
        syncIntervalMs: this.plan.conditions.syncIntervalMs,
      },
      platform,
      log: silentLog,
      parts,
    });
    await worker.closed;
  }
}

type StartOptions = Parameters<typeof startInstance>[0];

export function emailOf(userId: string): string {
  return `${userId}@example.com`;
}
