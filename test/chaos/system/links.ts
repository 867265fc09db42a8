import { startTcpProxy, type TcpProxy } from "../../support/tcp-proxy.ts";
import { type LinkName, type RoleName, roleNames } from "../fault-kinds.ts";

export interface LinkPorts {
  readonly redis: number;
  readonly mongo: number;
  /** The broker's listener for each process. */
  readonly listeners: Readonly<Record<RoleName, number>>;
}

/** Each process has its own proxy to each service, so that one link can fail alone. */
export async function startLinks(ports: LinkPorts): Promise<ReadonlyMap<LinkName, TcpProxy>> {
  const links = new Map<LinkName, TcpProxy>();
  for (const role of roleNames) {
    const targets = { kafka: ports.listeners[role], redis: ports.redis, mongo: ports.mongo };
    for (const service of ["kafka", "redis", "mongo"] as const) {
      links.set(`${role}>${service}`, await startTcpProxy({ host: "127.0.0.1", port: targets[service] }));
    }
  }
  return links;
}

/** The settings by which a process reaches the services through its own links. */
export function linkUrls(links: ReadonlyMap<LinkName, TcpProxy>, role: RoleName): Record<string, string> {
  const address = (service: "kafka" | "redis" | "mongo") =>
    `127.0.0.1:${links.get(`${role}>${service}`)?.port ?? 0}`;
  return {
    MONGO_URL: `mongodb://${address("mongo")}`,
    REDIS_URL: `redis://${address("redis")}`,
    KAFKA_BROKERS: address("kafka"),
  };
}
