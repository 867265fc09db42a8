import { encodeEvent } from "../../shared/events/encode-event.ts";
import { type EventDetails, type EventType, ownSource, type QuashEvent } from "../../shared/events/event.ts";
import { ledgerIdOf } from "../../shared/events/event-id.ts";
import { holdsOff } from "../../shared/hold-settings.ts";
import { createGuardAdministrators } from "../../shared/holds/guard-administrators.ts";
import { createHoldRule } from "../../shared/holds/hold-rule.ts";
import { createInProcessDatabaseServer } from "../../shared/in-process/database.ts";
import { InProcessEventLogServer } from "../../shared/in-process/event-log.ts";
import { createInProcessStoreServer } from "../../shared/in-process/revocation-store.ts";
import { type Log, silentLog } from "../../shared/log.ts";
import { createMetrics } from "../../shared/metrics.ts";
import type { LedgerRow } from "../../shared/ports/ledger.ts";
import type { Parts } from "../../shared/ports/parts.ts";
import type { NewUser } from "../../shared/ports/user-store.ts";
import type { Addition, CutOff } from "../../shared/revocation/addition.ts";
import { createFingerprinter, type Fingerprint } from "../../shared/revocation/fingerprint.ts";
import { unpackAdditions } from "../../shared/revocation/packed-additions.ts";
import { changeOfOurs, type UserChange } from "../../shared/revocation/user-state.ts";
import type { ApplyDeps } from "../../workers/revoker/apply-event.ts";
import { type RunningWorker, startWorker } from "../../workers/start-worker.ts";
import { createManualPlatform } from "./manual-clock.ts";

export const issuer = "https://quash.test";
export const namespace = "test";
export const tokenLifetimeSeconds = 900;

/** One store, one database and one log in this process, and workers on them, under a clock that a test moves. */
export type WorkerWorld = Awaited<ReturnType<typeof createWorkerWorld>>;

export async function createWorkerWorld({ log = silentLog }: { readonly log?: Log } = {}) {
  const platform = createManualPlatform();
  const storeServer = createInProcessStoreServer({ ...platform, undoDepth: 100 });
  const databaseServer = createInProcessDatabaseServer(platform);
  const logServer = new InProcessEventLogServer({ ...platform, namespace });
  const store = storeServer.connect();
  const database = databaseServer.connect();
  const eventLog = logServer.connect();
  const fingerprint = createFingerprinter(issuer);
  const names = { fingerprint, ownIssuer: issuer };
  await database.ledger.raiseLongest({ tokenLifetimeSeconds, maxStalenessMs: 5_000 });
  const { users, safeguards } = database;
  const guardAdministrators = createGuardAdministrators({ users, safeguards, ...platform });
  const applyDeps: Omit<ApplyDeps, "store"> = {
    ...database,
    ...platform,
    names,
    namespace,
    guardAdministrators,
    holdRule: createHoldRule({ safeguards, ...platform, settings: holdsOff }),
  };
  const workers: RunningWorker[] = [];
  const metrics = createMetrics({ withProcessMetrics: false });

  function connectParts(): Parts {
    return {
      database: databaseServer.connect(),
      store: storeServer.connect(),
      eventLog: logServer.connect(),
    };
  }

  async function start(parts: Partial<Parts> = {}, holds = holdsOff): Promise<RunningWorker> {
    const worker = await startWorker({
      settings: { namespace, issuer, syncIntervalMs: 1_000, holds },
      platform,
      log,
      metrics,
      parts: { ...connectParts(), ...parts },
    });
    workers.push(worker);
    await platform.advance(50);
    return worker;
  }

  /** A manual clock moves nothing by itself: time passes until all of them have closed. */
  async function close(): Promise<void> {
    const progress = { isClosed: false };
    const closing = Promise.all(workers.map((worker) => worker.close())).finally(() => {
      progress.isClosed = true;
    });
    for (let turn = 0; turn < 100 && !progress.isClosed; turn += 1) await platform.advance(1_000);
    await closing;
  }

  async function addUser(changes: Partial<NewUser> = {}) {
    const id = platform.ids.uuid();
    return database.users.create({
      id,
      email: `${id}@example.com`,
      passwordHash: "",
      roles: ["user"],
      externalIds: [],
      createdAtMs: platform.clock.wallMs(),
      ...changes,
    });
  }

  async function addToken(
    subject: string,
    changes: { epoch?: number; sid?: string; expiresInMs?: number } = {},
  ): Promise<string> {
    const jti = platform.ids.uuid();
    const issuedAtMs = platform.clock.wallMs();
    const { epoch = 0, sid = platform.ids.uuid(), expiresInMs = tokenLifetimeSeconds * 1_000 } = changes;
    const expiresAtMs = issuedAtMs + expiresInMs;
    await database.sessions.recordToken({
      jti,
      subject,
      sid,
      epoch,
      issuedAtMs,
      expiresAtMs,
      revokedBy: null,
    });
    return jti;
  }

  async function addSession(subject: string, epoch = 0): Promise<string> {
    const sid = platform.ids.uuid();
    const createdAtMs = platform.clock.wallMs();
    const expiresAtMs = createdAtMs + 30 * 24 * 3_600_000;
    await database.sessions.createSession({ sid, subject, epoch, refreshHash: "", createdAtMs, expiresAtMs });
    return sid;
  }

  function event(type: EventType, changes: Partial<QuashEvent> = {}): QuashEvent {
    const id = platform.ids.uuid();
    return { id, source: "/upstream", type, timeMs: platform.clock.wallMs(), details: {}, ...changes };
  }

  function ownEvent(type: EventType, subject: string, details: EventDetails): QuashEvent {
    return event(type, { source: ownSource(namespace), subject, details });
  }

  /** What the API does: the change and its event in one write. It is not published. */
  async function changeUser(id: string, change: UserChange): Promise<QuashEvent> {
    const user = await database.users.findById(id);
    if (user === null) throw new Error("no such user");
    const { status, epoch, statusChangedAtMs, epochRaisedAtMs } = user;
    const from = { status, epoch, statusChangedAtMs, epochRaisedAtMs };
    const to = changeOfOurs(from, change, platform.clock.wallMs());
    if (to === null) throw new Error("nothing to change");
    const timeMs = Math.max(to.statusChangedAtMs, to.epochRaisedAtMs);
    const made = { ...ownEvent(change, id, { epoch: to.epoch }), timeMs };
    await database.users.change(id, { from, to, event: made });
    return made;
  }

  async function publish(...events: QuashEvent[]): Promise<void> {
    await eventLog.publish("events", events.map(encodeEvent));
    await platform.settle();
    await platform.settle();
  }

  async function contents(): Promise<Addition[]> {
    const additions: Addition[] = [];
    for await (const chunk of store.load()) additions.push(...unpackAdditions(chunk));
    return additions;
  }

  const subjectOf = (subject: string, iss = issuer): Fingerprint => fingerprint(iss, subject);

  async function cutOffOf(subject: string, iss = issuer): Promise<CutOff | undefined> {
    const cutOffs = (await contents()).filter((addition) => addition.kind === "cut-off");
    return cutOffs
      .filter((cutOff) => cutOff.subject === subjectOf(subject, iss))
      .toSorted((a, b) => b.epoch - a.epoch || b.until - a.until)[0];
  }

  async function isTokenRevoked(jti: string, iss = issuer): Promise<boolean> {
    const token = fingerprint(iss, jti);
    return (await contents()).some((addition) => addition.kind !== "cut-off" && addition.token === token);
  }

  async function rowOf(of: QuashEvent): Promise<LedgerRow | null> {
    return database.ledger.find(ledgerIdOf(of, namespace));
  }

  const deadLetterReasons = (): string[] =>
    logServer.read("dead-letters").map(({ headers }) => {
      const reason = headers["dead_letter_reason"];
      return reason instanceof Uint8Array ? Buffer.from(reason).toString() : "";
    });

  return {
    platform,
    storeServer,
    databaseServer,
    logServer,
    store,
    database,
    eventLog,
    names,
    /** For an event that is applied without a worker; nothing is held. */
    applyDeps,
    /** Of all its workers. */
    metrics,
    connectParts,
    start,
    close,
    /** As processes that died: nobody closes them. */
    forgetWorkers: () => void workers.splice(0),
    addUser,
    addToken,
    addSession,
    event,
    ownEvent,
    changeUser,
    publish,
    contents,
    cutOffOf,
    isTokenRevoked,
    rowOf,
    deadLetterReasons,
  };
}

type Method = (...args: never[]) => unknown;

/** The port, but for one method: `before` runs first, and may throw in its place. */
export function intercept<T extends object>(
  port: T,
  name: keyof T & string,
  before: (...args: unknown[]) => unknown,
): T {
  return new Proxy(port, {
    get(target, key, receiver) {
      const member: unknown = Reflect.get(target, key, receiver);
      if (key !== name || typeof member !== "function") return member;
      return async (...args: unknown[]) => {
        await before(...args);
        return (member as Method).apply(target, args as never[]);
      };
    },
  });
}
