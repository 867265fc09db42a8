import { encodeEvent } from "../../shared/events/encode-event.ts";
import { type EventDetails, type EventType, ownSource, type QuashEvent } from "../../shared/events/event.ts";
import { connectKafka } from "../../shared/kafka/event-log.ts";
import { silentLog } from "../../shared/log.ts";
import { createMetrics } from "../../shared/metrics.ts";
import { connectMongo } from "../../shared/mongo/database.ts";
import { createPlatform } from "../../shared/platform.ts";
import type { Parts } from "../../shared/ports/parts.ts";
import { connectRedisStore } from "../../shared/redis/revocation-store.ts";
import type { Addition } from "../../shared/revocation/addition.ts";
import { createFingerprinter } from "../../shared/revocation/fingerprint.ts";
import { unpackAdditions } from "../../shared/revocation/packed-additions.ts";
import { type RunningWorker, startWorker } from "../../workers/start-worker.ts";
import { dropMongoDatabase } from "./drop-mongo-database.ts";
import { freshNamespace, type TestServices } from "./services.ts";

export const issuer = "https://quash.example";

/** Workers in this process on real servers, in a namespace of their own. */
export type RealWorkerWorld = Awaited<ReturnType<typeof createRealWorkerWorld>>;

export async function createRealWorkerWorld(services: TestServices) {
  const platform = createPlatform();
  const namespace = freshNamespace();
  const metrics = createMetrics({ withProcessMetrics: false });
  const fingerprint = createFingerprinter(issuer);
  const workers: RunningWorker[] = [];
  const opened: Parts[] = [];

  async function connect(kafkaBrokers = services.kafkaBrokers): Promise<Parts> {
    const common = { namespace, log: silentLog, ...platform };
    const parts = {
      database: await connectMongo({ ...common, url: services.mongoUrl }),
      store: await connectRedisStore({ ...common, url: services.redisUrl }),
      eventLog: connectKafka({ ...common, clientId: "test", brokers: kafkaBrokers.split(",") }),
    };
    opened.push(parts);
    return parts;
  }

  const own = await connect();
  await own.database.migrate();
  await own.database.ledger.raiseLongest({ tokenLifetimeSeconds: 900, maxStalenessMs: 5_000 });

  async function start(kafkaBrokers?: string): Promise<RunningWorker> {
    const worker = await startWorker({
      settings: { namespace, issuer, syncIntervalMs: 200 },
      platform,
      log: silentLog,
      metrics,
      parts: await connect(kafkaBrokers),
    });
    workers.push(worker);
    return worker;
  }

  async function stopWorkers(): Promise<void> {
    await Promise.all(workers.splice(0).map((worker) => worker.close()));
  }

  async function close(): Promise<void> {
    await stopWorkers();
    for (const { database, store, eventLog } of opened) {
      await Promise.all([database.close(), store.close(), eventLog.close()]);
    }
    await dropMongoDatabase(services.mongoUrl, namespace);
  }

  async function addUser() {
    const id = platform.ids.uuid();
    const email = `${id}@example.com`;
    const createdAtMs = platform.clock.wallMs() - 60_000;
    return own.database.users.create({
      id,
      email,
      passwordHash: "",
      roles: ["user"],
      externalIds: [],
      createdAtMs,
    });
  }

  async function addToken(subject: string): Promise<string> {
    const [jti, sid] = [platform.ids.uuid(), platform.ids.uuid()];
    const issuedAtMs = platform.clock.wallMs();
    const expiresAtMs = issuedAtMs + 900_000;
    const token = { jti, subject, sid, epoch: 0, issuedAtMs, expiresAtMs, revokedBy: null };
    await own.database.sessions.recordToken(token);
    return jti;
  }

  function ownEvent(type: EventType, subject: string, details: EventDetails): QuashEvent {
    const id = platform.ids.uuid();
    return { id, source: ownSource(namespace), type, subject, timeMs: platform.clock.wallMs(), details };
  }

  function upstreamEvent(type: EventType, subject: string): QuashEvent {
    const id = platform.ids.uuid();
    return { id, source: "/upstream", type, subject, timeMs: platform.clock.wallMs(), details: {} };
  }

  const publish = (...events: readonly QuashEvent[]) =>
    own.eventLog.publish("events", events.map(encodeEvent));

  async function contents(): Promise<Addition[]> {
    const additions: Addition[] = [];
    for await (const chunk of own.store.load()) additions.push(...unpackAdditions(chunk));
    return additions;
  }

  async function tokensRevoked(): Promise<ReadonlySet<string>> {
    return new Set((await contents()).flatMap((each) => (each.kind === "token" ? [each.token] : [])));
  }

  async function epochsCutOff(): Promise<ReadonlyMap<string, number>> {
    const epochs = new Map<string, number>();
    for (const addition of await contents()) {
      if (addition.kind !== "cut-off") continue;
      epochs.set(addition.subject, Math.max(addition.epoch, epochs.get(addition.subject) ?? 0));
    }
    return epochs;
  }

  async function lag(): Promise<number> {
    return (await own.eventLog.readLag()).reduce((sum, { records }) => sum + records, 0);
  }

  return {
    ...own,
    namespace,
    platform,
    metrics,
    start,
    stopWorkers,
    close,
    addUser,
    addToken,
    ownEvent,
    upstreamEvent,
    publish,
    contents,
    tokensRevoked,
    /** By subject. */
    epochOf: async (subject: string) => (await epochsCutOff()).get(fingerprint(issuer, subject)),
    epochsCutOff,
    fingerprintOf: (name: string) => fingerprint(issuer, name),
    lag,
  };
}
