import { randomInt } from "node:crypto";
import { createServer, type Server } from "node:net";

/**
 * Below the range that the system gives to outgoing connections (32768 and up on Linux, 49152 and up elsewhere): a
 * port of that range can be taken by any client between being found free here and being listened on, or while its
 * server is down to be started again.
 */
const lowestPort = 12_000;
const highestPort = 32_000;

/** All are held at once, so that they differ. */
export async function freePorts(count: number): Promise<readonly number[]> {
  const held = await Promise.all(Array.from({ length: count }, holdOne));
  await Promise.all(held.map(({ server }) => new Promise((resolve) => server.close(resolve))));
  return held.map(({ port }) => port);
}

async function holdOne(): Promise<{ server: Server; port: number }> {
  for (let attempts = 100; ; attempts -= 1) {
    const port = randomInt(lowestPort, highestPort);
    try {
      return { server: await listen(port), port };
    } catch (error) {
      if (attempts === 1) throw error;
    }
  }
}

async function listen(port: number): Promise<Server> {
  const server = createServer();
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, "127.0.0.1", () => resolve(server));
  });
}
