import { once } from "node:events";
import { connect } from "node:net";
import type { Service } from "./service.ts";

export const redis: Service = {
  portCount: 1,
  readyWithinMs: 15_000,

  prerequisites: () => ["redis-server"],

  install: () => Promise.resolve(),

  prepare: ({ data, ports }) => {
    const settings = {
      port: ports[0],
      bind: "127.0.0.1",
      dir: data,
      appendonly: "yes",
      appendfsync: "everysec",
      "maxmemory-policy": "noeviction",
      save: "",
      daemonize: "no",
    };
    const args = Object.entries(settings).flatMap(([name, value]) => [`--${name}`, String(value)]);
    return Promise.resolve({ command: "redis-server", args, cwd: data });
  },

  async probe(ports) {
    const socket = connect({ host: "127.0.0.1", port: ports[0] ?? 0 });
    try {
      await once(socket, "connect", { signal: AbortSignal.timeout(2000) });
      socket.write("PING\r\n");
      const [answer] = await once(socket, "data", { signal: AbortSignal.timeout(2000) });
      if (!String(answer).startsWith("+PONG")) throw new Error(`Redis answers ${String(answer).trim()}`);
    } finally {
      socket.destroy();
    }
  },
};
