import { createServer, type ServerResponse } from "node:http";
import { setTimeout as delay } from "node:timers/promises";
import { listen } from "../../shared/listen.ts";
import type { SystemUnderLoad } from "./system.ts";

export interface FakeInstance {
  readonly system: SystemUnderLoad;
  close(): Promise<void>;
}

/**
 * One instance, as the load test sees it: a person's token is his id, a receipt says the given status at once, and a
 * deactivated one is refused after `refusedAfterMs`, never where the receipt says `held`.
 */
export async function startFakeInstance({
  receiptSays = "enforced",
  refusedAfterMs = 0,
}: {
  receiptSays?: string;
  refusedAfterMs?: number;
} = {}): Promise<FakeInstance> {
  const deactivated: string[] = [];
  const refused = new Set<string>();
  const streams = new Map<string, ServerResponse>();
  const receiptOf = (subject: string) => ({ event_id: subject, subject, status: receiptSays });

  const deactivate = async (id: string) => {
    deactivated.push(id);
    if (receiptSays === "held") return;
    await delay(refusedAfterMs);
    refused.add(id);
    streams.get(id)?.end();
  };
  const server = createServer(({ url = "", headers }, response) => {
    const token = headers.authorization?.slice("Bearer ".length) ?? "";
    const { pathname } = new URL(url, "http://fake");
    const id = /^\/users\/([^/]+)\/deactivate$/.exec(pathname)?.[1];
    if (id !== undefined) {
      void deactivate(id);
      response.writeHead(receiptSays === "enforced" ? 200 : 202).end(JSON.stringify(receiptOf(id)));
    } else if (pathname === "/revocations") {
      response.end(JSON.stringify({ items: deactivated.map(receiptOf), next_cursor: null }));
    } else if (refused.has(token)) {
      response.writeHead(401).end();
    } else if (pathname === "/me/stream") {
      streams.set(token, response);
      response.write("event: open\n\n");
    } else response.end(JSON.stringify({ instance: "fake" }));
  });
  await listen(server, "127.0.0.1", 0);
  const address = server.address();
  const url = `http://127.0.0.1:${typeof address === "object" ? address?.port : ""}`;
  return {
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
