import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";

export type Answer = (request: IncomingMessage, response: ServerResponse, address: string) => void;

export interface EchoInstances {
  readonly port: number;
  /** Every request that reached any instance since the last `reset`. */
  readonly seen: readonly { readonly address: string; readonly method: string; readonly url: string }[];
  reset(answer?: Answer): void;
  add(address: string): Promise<void>;
  close(): Promise<void>;
}

/** Small HTTP servers on several loopback addresses and one port, which tell what reached them. */
export async function startEchoInstances(addresses: readonly string[]): Promise<EchoInstances> {
  let answer: Answer = echo;
  let seen: { address: string; method: string; url: string }[] = [];
  const servers: Server[] = [];
  let port = 0;
  const add = async (address: string) => {
    const server = createServer((request, response) => {
      seen.push({ address, method: request.method ?? "", url: request.url ?? "" });
      answer(request, response, address);
    });
    server.listen(port, address);
    await once(server, "listening");
    servers.push(server);
    const bound = server.address();
    if (bound !== null && typeof bound === "object") port = bound.port;
  };
  for (const address of addresses) await add(address);
  return {
    port,
    get seen() {
      return seen;
    },
    reset(next = echo) {
      seen = [];
      answer = next;
    },
    add,
    async close() {
      for (const server of servers) server.closeAllConnections();
      await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
    },
  };
}

function echo(request: IncomingMessage, response: ServerResponse, address: string): void {
  const chunks: Buffer[] = [];
  request.on("data", (chunk: Buffer) => chunks.push(chunk));
  request.on("end", () => {
    const { method, url, headers } = request;
    const body = Buffer.concat(chunks).toString("utf8");
    response.setHeader("content-type", "application/json");
    response.end(JSON.stringify({ address, method, url, headers, body }));
  });
}
