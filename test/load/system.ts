import { readFileSync } from "node:fs";
import { findServices } from "../services/find-services.ts";
import { freePorts } from "../services/free-ports.ts";
import { startBalancer } from "../support/balancer.ts";
import { administrator, createFleet } from "../support/fleet.ts";
import { freshNamespace } from "../support/services.ts";
import { startTcpProxy } from "../support/tcp-proxy.ts";
import type { LoadOptions } from "./options.ts";
import type { CreatePeople } from "./people.ts";
import { createReadyUsers } from "./ready-users.ts";

export interface SystemUnderLoad {
  /** Where users call: the balancer. */
  readonly entryUrl: string;
  /** Each instance's own address; empty where only the entry is known. */
  readonly instanceUrls: readonly string[];
  readonly administrator: { readonly email: string; readonly password: string };
  /** Where upstream events are published; undefined: over HTTP only. */
  readonly kafka: { readonly brokers: readonly string[]; readonly namespace: string } | undefined;
  /** A faster way to create users than over HTTP; undefined: the system was not started here. */
  readonly createPeople: CreatePeople | undefined;
  /** One more instance, whose way to Redis can be cut; undefined: the system was not started here. */
  readonly startIsolatable: (() => Promise<{ readonly url: string; cutOff(): void }>) | undefined;
  close(): Promise<void>;
}

export async function openSystem(
  options: LoadOptions,
  log: (line: string) => void,
): Promise<SystemUnderLoad> {
  return options.url === undefined ? startSystem(options.instances, log) : findSystem(options.url);
}

function findSystem(url: string): SystemUnderLoad {
  const { ADMIN_EMAIL, ADMIN_PASSWORD, ADMIN_PASSWORD_FILE, KAFKA_BROKERS, NAMESPACE } = process.env;
  const password =
    ADMIN_PASSWORD ?? (ADMIN_PASSWORD_FILE && readFileSync(ADMIN_PASSWORD_FILE, "utf8").trim());
  if (!ADMIN_EMAIL || !password) {
    throw new Error("--url needs ADMIN_EMAIL and ADMIN_PASSWORD or ADMIN_PASSWORD_FILE, to sign in there");
  }
  return {
    entryUrl: url,
    instanceUrls: [],
    administrator: { email: ADMIN_EMAIL, password },
    kafka: KAFKA_BROKERS ? { brokers: KAFKA_BROKERS.split(","), namespace: NAMESPACE ?? "quash" } : undefined,
    createPeople: undefined,
    startIsolatable: undefined,
    close: async () => undefined,
  };
}

async function startSystem(instances: number, log: (line: string) => void): Promise<SystemUnderLoad> {
  const closers: (() => Promise<unknown>)[] = [];
  const close = async () => {
    for (const closeOne of closers.toReversed()) await closeOne();
  };
  try {
    log("starting the services");
    const services = await findServices(process.env);
    closers.push(() => services.release());
    const namespace = freshNamespace();
    const fleet = await createFleet({ ...services, namespace });
    closers.push(() => fleet.close());
    log(`starting a worker and ${instances} API processes`);
    const [apiPort = 0, entryPort = 0] = await freePorts(2);
    const hosts = Array.from({ length: instances }, (_, i) => `127.0.0.${i + 2}`);
    const [apis] = await Promise.all([
      Promise.all(hosts.map((host) => fleet.startApi({ host, port: apiPort }))),
      fleet.startWorker(),
    ]);
    const balancer = await startBalancer({ addresses: hosts, port: apiPort, listenPort: entryPort });
    closers.push(() => balancer.close());
    return {
      entryUrl: balancer.url,
      instanceUrls: apis.map(({ url }) => url),
      administrator,
      kafka: { brokers: services.kafkaBrokers.split(","), namespace },
      createPeople: createReadyUsers(services.mongoUrl, namespace),
      async startIsolatable() {
        const redis = new URL(services.redisUrl);
        const link = await startTcpProxy({ host: redis.hostname, port: Number(redis.port || 6379) });
        closers.unshift(() => link.close());
        redis.host = `127.0.0.1:${link.port}`;
        const { url } = await fleet.startApi({ settings: { REDIS_URL: redis.href } });
        return { url, cutOff: () => link.cut() };
      },
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}
