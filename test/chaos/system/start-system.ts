import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { freePorts } from "../../services/free-ports.ts";
import { mongo } from "../../services/mongo.ts";
import { requirePrerequisites } from "../../services/prerequisites.ts";
import { redis } from "../../services/redis.ts";
import { servicesFolder } from "../../services/state.ts";
import { eventually } from "../../support/eventually.ts";
import { generateKeys } from "../../support/fleet.ts";
import type { TcpProxy } from "../../support/tcp-proxy.ts";
import {
  type ApiName,
  apiNames,
  type LinkName,
  type RoleName,
  roleNames,
  type ServiceName,
  serviceNames,
} from "../fault-kinds.ts";
import { byName } from "./by-name.ts";
import { createRoles, namespace, type RoleSettings } from "./create-roles.ts";
import { kafkaWithListeners, type Listener } from "./kafka-with-listeners.ts";
import { startLinks } from "./links.ts";
import { ReplicatedRedis } from "./replicated-redis.ts";
import type { RoleProcess } from "./role-process.ts";
import { createServiceProcess, type ServiceProcess } from "./service-process.ts";

/** Everything that a fault can be done to. */
export interface ChaosSystem {
  readonly roles: Readonly<Record<RoleName, RoleProcess>>;
  readonly services: Readonly<Record<ServiceName, ServiceProcess>>;
  readonly links: ReadonlyMap<LinkName, TcpProxy>;
  readonly apiUrls: Readonly<Record<ApiName, string>>;
  /** Instead of `services.redis`, which is not started then. */
  readonly replication: ReplicatedRedis | undefined;
  /** Past all proxies. */
  readonly redisUrl: string;
  readonly kafkaBrokers: string;
  readonly namespace: string;
  /** One more API instance, past all proxies; resolves with its address once it is ready. */
  startNewcomer(): Promise<string>;
  close(): Promise<void>;
}

export interface SystemOptions extends RoleSettings {
  readonly log: (line: string) => void;
  /** Redis with a replica and three Sentinels, in place of one server. */
  readonly sentinel: boolean;
}

export async function startSystem(options: SystemOptions): Promise<ChaosSystem> {
  const folder = await mkdtemp(path.join(tmpdir(), "quash-chaos-"));
  const closers: (() => Promise<unknown>)[] = [() => rm(folder, { recursive: true, force: true })];
  const close = async () => {
    for (const closeOne of closers.splice(0).toReversed()) await closeOne();
  };
  try {
    return { ...(await start(folder, closers, options)), namespace, close };
  } catch (error) {
    await close();
    throw error;
  }
}

type Started = Omit<ChaosSystem, "namespace" | "close">;

async function start(
  folder: string,
  closers: (() => Promise<unknown>)[],
  options: SystemOptions,
): Promise<Started> {
  const replication = options.sentinel ? await ReplicatedRedis.start(closers) : undefined;
  const ports = await allocate();
  const links = await startLinks({ ...ports, redis: replication?.address.port ?? ports.redis });
  closers.push(() => Promise.all([...links.values()].map((link) => link.close())));
  const listeners = roleNames.map((role) => ({
    name: listenerName(role),
    port: ports.listeners[role],
    advertisedPort: links.get(`${role}>kafka`)?.port ?? 0,
  }));
  const services = await createServices(folder, { ...options, ports, listeners });
  closers.push(() => Promise.all(Object.values(services).map((service) => service.end("SIGKILL"))));
  options.log("starting Kafka, Redis and MongoDB of its own");
  const started = replication === undefined ? serviceNames : (["kafka", "mongo"] as const);
  await Promise.all(started.map((name) => services[name].start()));
  const keysFile = path.join(folder, "signing-keys.json");
  await writeFile(keysFile, await generateKeys(), { mode: 0o600 });
  const redisUrl = () => `redis://127.0.0.1:${replication?.address.port ?? ports.redis}`;
  const urls = () => ({
    MONGO_URL: `mongodb://127.0.0.1:${ports.mongo}`,
    REDIS_URL: redisUrl(),
    KAFKA_BROKERS: `127.0.0.1:${ports.kafka}`,
  });
  const { roles, createNewcomer } = createRoles({ keysFile, links, apiPorts: ports.apis }, options);
  closers.push(() => Promise.all(Object.values(roles).map((role) => role.end("SIGKILL"))));
  options.log(`starting ${roleNames.join(", ")}`);
  for (const role of Object.values(roles)) role.start();
  const apiUrls = byName(apiNames, (name) => `http://127.0.0.1:${ports.apis[name]}`);
  await Promise.all(Object.values(apiUrls).map(untilReady));
  return {
    roles,
    services,
    links,
    apiUrls,
    replication,
    get redisUrl() {
      return redisUrl();
    },
    kafkaBrokers: urls().KAFKA_BROKERS,
    async startNewcomer() {
      const newcomer = createNewcomer(urls(), ports.newcomer);
      closers.push(() => newcomer.end("SIGKILL"));
      newcomer.start();
      const url = `http://127.0.0.1:${ports.newcomer}`;
      await untilReady(url);
      return url;
    },
  };
}

async function allocate() {
  const [kafka = 0, controller = 0, redisPort = 0, mongoPort = 0, newcomer = 0, ...more] = await freePorts(
    5 + roleNames.length + apiNames.length,
  );
  const listeners = byName(roleNames, (_, index) => more[index] ?? 0);
  const apis = byName(apiNames, (_, index) => more[roleNames.length + index] ?? 0);
  return { kafka, controller, redis: redisPort, mongo: mongoPort, newcomer, listeners, apis };
}

async function createServices(
  folder: string,
  {
    ports,
    listeners,
    log,
    logFolder,
  }: Pick<SystemOptions, "log" | "logFolder"> & {
    readonly ports: Awaited<ReturnType<typeof allocate>>;
    readonly listeners: readonly Listener[];
  },
): Promise<Record<ServiceName, ServiceProcess>> {
  const programs = path.join(servicesFolder(process.env), "programs");
  const kafka = kafkaWithListeners(listeners);
  const all = [kafka, redis, mongo];
  requirePrerequisites(
    all.flatMap((service) => service.prerequisites(programs)),
    log,
  );
  for (const service of all) await service.install(programs, log);
  const place = { programs, folder, logFolder };
  return {
    kafka: createServiceProcess("kafka", kafka, { ...place, ports: [ports.kafka, ports.controller] }),
    redis: createServiceProcess("redis", redis, { ...place, ports: [ports.redis] }),
    mongo: createServiceProcess("mongo", mongo, { ...place, ports: [ports.mongo] }),
  };
}

async function untilReady(url: string): Promise<void> {
  await eventually(
    async () => {
      const answer = await fetch(`${url}/readyz`, { signal: AbortSignal.timeout(2_000) });
      const text = await answer.text();
      if (answer.status !== 200) throw new Error(`${url}/readyz answers ${answer.status} ${text}`);
    },
    { timeoutMs: 60_000, intervalMs: 100 },
  );
}

function listenerName(role: RoleName): string {
  return role.replace("-", "").toUpperCase();
}
