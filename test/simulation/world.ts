import type { ServiceSettings } from "../../api/settings.ts";
import type { KeySet } from "../../api/tokens/keys.ts";
import {
  createInProcessDatabaseServer,
  type InProcessDatabaseServer,
} from "../../shared/in-process/database.ts";
import { InProcessEventLogServer } from "../../shared/in-process/event-log.ts";
import type { TokenRecord } from "../../shared/ports/session-store.ts";
import type { User } from "../../shared/ports/user-store.ts";
import { createRandom, type Random, uuidFrom } from "../support/random.ts";
import { Engine } from "./engine.ts";
import { History } from "./history.ts";
import { createMember, type Member } from "./member.ts";
import { emailOf, identityProvider, namespace, passwordOfAll, personAt } from "./people.ts";
import type { Plan } from "./plan.ts";
import { nameOf } from "./records.ts";
import { Scheduler } from "./scheduler.ts";
import { SimProcess } from "./sim-process.ts";
import { fastHasher, startMember } from "./start-member.ts";
import { StoreCluster } from "./store-cluster.ts";

/** As a container engine does: what has died by itself is started again. */
const restartAfterMs = 3_000;

export interface WorldDeps {
  readonly plan: Plan;
  readonly keys: KeySet;
  readonly settings: ServiceSettings;
  /** What is shown of a run. */
  readonly trace: (line: string) => void;
  /** What has had an effect at one of the servers. */
  readonly note: (line: string) => void;
}

/** What happens to a worker between two things that it writes of another system's event. */
export interface Interruption {
  readonly after: "tokens-marked" | "user-shut-out";
  readonly act: () => void;
}

/** The servers, the processes and the ways between them. */
export class World {
  readonly scheduler = new Scheduler();
  readonly history = new History();
  readonly random: Random;
  readonly plan: Plan;
  readonly deps: WorldDeps;
  readonly database: InProcessDatabaseServer;
  readonly log: InProcessEventLogServer;
  readonly logServer: SimProcess;
  readonly storeServer: SimProcess;
  readonly store: StoreCluster;
  readonly engines: Readonly<Record<"store" | "database" | "log", Engine>>;
  readonly members: readonly Member[];
  readonly apis: readonly Member[];
  /** Tokens that were recorded, by jti, and by the name under which the store knows them. */
  readonly records = new Map<string, TokenRecord>();
  readonly recordsByName = new Map<string, TokenRecord>();
  readonly states = new Map<string, User>();
  readonly userIds: readonly string[];
  /** One whom nothing concerns but what is to outlast a lull. */
  readonly quietUserId: string;
  /** Whom a cut-off may name: users, and what another issuer calls them. */
  readonly #subjects: ReadonlySet<string>;
  /** Records that can be no event, by id, with the time of their publication: each must end as a dead letter. */
  readonly poisons = new Map<string, number>();
  clocksWereStepped = false;
  /** Upstream events that were published before may be lost: retention has run out. */
  lostEventsUntilMs = -Infinity;
  isHealed = false;
  /** By the worker's name; each happens once. */
  readonly interruptions = new Map<string, Interruption>();
  /** The incarnation that the ledger expects of the store. */
  fence: string | null = null;
  /** Since when the store is the one that the ledger expects; Infinity while it is not. Noted after each step. */
  storeWholeSinceMs = Infinity;
  /** Sends an instance many requests in a time, counted from now, in which it might accept what is dead. */
  hunt: (member: Member, during: { fromMs: number; toMs: number }) => void = () => undefined;

  constructor(deps: WorldDeps) {
    this.deps = deps;
    this.plan = deps.plan;
    const { apis, workers, users, bestEffort } = deps.plan.conditions;
    this.random = createRandom(`world ${deps.plan.seed}`);
    this.storeServer = this.#createProcess("store");
    this.logServer = this.#createProcess("log");
    const { scheduler } = this;
    const storePlatform = this.storeServer.start();
    this.store = new StoreCluster({ ...storePlatform, scheduler, random: this.random.fork("announcements") });
    this.log = new InProcessEventLogServer({ ...this.logServer.start(), namespace });
    this.engines = {
      store: new Engine(scheduler, (isAvailable) => this.store.primary.setAvailable(isAvailable)),
      database: new Engine(scheduler, (isAvailable) => this.database.setAvailable(isAvailable)),
      log: new Engine(scheduler, (isAvailable) => this.log.setAvailable(isAvailable)),
    };
    this.database = createInProcessDatabaseServer({
      clock: { wallMs: () => this.nowMs, monotonicMs: () => this.nowMs, bootMs: () => this.nowMs },
    });
    this.apis = this.#createMembers("api", apis, bestEffort);
    this.members = [...this.apis, ...this.#createMembers("worker", workers, null)];
    const ids = this.random.fork("users");
    this.userIds = Array.from({ length: users }, () => uuidFrom(ids));
    this.quietUserId = uuidFrom(ids);
    this.#subjects = new Set(
      this.#allUserIds.flatMap((id, at) => [nameOf(id), nameOf(personAt(at), identityProvider)]),
    );
  }

  get nowMs(): number {
    return this.scheduler.nowMs;
  }

  get isLull(): boolean {
    const { lull } = this.plan.conditions;
    return lull !== null && this.nowMs >= lull.fromMs && this.nowMs < lull.toMs;
  }

  get processes(): readonly SimProcess[] {
    return [this.storeServer, this.logServer, ...this.members.map(({ process }) => process)];
  }

  get #allUserIds(): readonly string[] {
    return [...this.userIds, this.quietUserId];
  }

  isSubject(name: string): boolean {
    return this.#subjects.has(name);
  }

  /** What the wall clocks show: of the one that is behind, and of the one that is ahead. */
  get wallMs(): { readonly earliest: number; readonly latest: number } {
    const shown = this.processes.map(({ clock }) => clock.wallMs());
    return { earliest: Math.min(...shown), latest: Math.max(...shown) };
  }

  /** The latest time that any wall clock has shown so far. */
  get latestShownMs(): number {
    return Math.max(...this.processes.map((process) => process.latestShownMs));
  }

  trace(line: string): void {
    this.deps.trace(`${this.nowMs.toFixed(3)} ${line}`);
  }

  async open(): Promise<void> {
    const { users } = this.database.connect();
    for (const [at, id] of this.#allUserIds.entries()) {
      await users.create({
        id,
        email: emailOf(id),
        passwordHash: await fastHasher.hash(passwordOfAll),
        roles: ["user"],
        externalIds: [{ iss: identityProvider, sub: personAt(at) }],
        createdAtMs: this.logServer.clock.wallMs() - 60_000,
      });
    }
    this.store.delivery.lostAlways = this.plan.conditions.lostAnnouncements;
    for (const member of this.members) this.startProcess(member);
  }

  startProcess(member: Member): void {
    if (member.process.isDown) startMember(this, member);
  }

  noteRecorded(record: TokenRecord): void {
    this.records.set(record.jti, record);
    this.recordsByName.set(nameOf(record.jti), record);
  }

  noteCrash(who: string, error: unknown): void {
    const what = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
    this.history.violate("crash", this.nowMs, `${who} ended by itself: ${what}`);
  }

  #createProcess(name: string): SimProcess {
    const { clockErrorMs, rateError, startsAtMs } = this.plan.conditions;
    const random = this.random.fork(name);
    return new SimProcess({
      name,
      scheduler: this.scheduler,
      random,
      startsAtMs,
      wallOffsetMs: Math.round((random.fraction() * 2 - 1) * clockErrorMs),
      clockRate: 1 + (random.fraction() * 2 - 1) * rateError,
    });
  }

  #createMembers(role: "api" | "worker", count: number, bestEffort: number | null): Member[] {
    return Array.from({ length: count }, (_, at) => {
      const process = this.#createProcess(`${role}-${at}`);
      const member = createMember(process, {
        scheduler: this.scheduler,
        isApi: role === "api",
        isBestEffort: at === bestEffort,
      });
      process.onDeath(() => this.scheduler.after(restartAfterMs, () => this.startProcess(member)));
      return member;
    });
  }
}
