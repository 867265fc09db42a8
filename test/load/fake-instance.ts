import { createServer, type ServerResponse } from "node:http";
import { setTimeout as delay } from "node:timers/promises";
import { listen } from "../../shared/listen.ts";
import type { SystemUnderLoad } from "./system.ts";

export interface FakeOptions {
  /** From the beginning on. */
  readonly receiptSays?: string;
  /** From the deactivation on. */
  readonly refusedAfterMs?: number;
}

export interface FakeInstance {
  readonly url: string;
  readonly system: SystemUnderLoad;
  close(): Promise<void>;
}

/** An instance, as the load test sees it; a person's token is his id. */
export async function startFakeInstance(options: FakeOptions): Promise<FakeInstance> {
  const { receiptSays = "enforced", refusedAfterMs = 0 } = options;
  const refused = new Set<string>();
  const streams = new Map<string, ServerResponse>();
  const receiptOf = (subject: string) => ({ event_id: subject, subject, status: receiptSays });

  const deactivate = async (id: string) => {
    if (receiptSays === "held") return;
    if (refusedAfterMs > 0) await delay(refusedAfterMs);
    refused.add(id);
    streams.get(id)?.end();
  };
  const server = createServer(({ url: path = "", headers }, response) => {
    const token = headers.authorization?.slice("Bearer ".length) ?? "";
    const id = /^\/users\/([^/]+)\/deactivate/.exec(path)?.[1];
    if (id !== undefined) {
      void deactivate(id);
      response.end(JSON.stringify(receiptOf(id)));
    } else if (refused.has(token)) {
      response.writeHead(401).end();
    } else if (path === "/me/stream") {
      streams.set(token, response);
      response.write("event: open\n\n");
    } else response.end(JSON.stringify({ instance: "fake" }));
  });
  await listen(server, "127.0.0.1", 0);
  const address = server.address();
  const url = `http://127.0.0.1:${typeof address === "object" ? address?.port : ""}`;
  return {
    url,
    system: {
      entryUrl: url,
      instanceUrls: [url],
      administrator: { email: "admin@example.com", password: "" },
      kafka: undefined,
      createPeople: undefined,
      startIsolatable: undefined,
      close: () => Promise.resolve(),
    },
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
