import { once } from "node:events";
import { createServer, type Server } from "node:http";
import { setTimeout as delay } from "node:timers/promises";
import { expect } from "chai";
import { afterEach, beforeEach, describe, it } from "mocha";
import { WebSocket } from "undici";
import { type RunningInstance, startInstance } from "../../api/start-instance.ts";
import { silentLog } from "../../shared/log.ts";
import { eventually } from "../support/eventually.ts";
import { expectProblem } from "../support/expect-problem.ts";
import {
  type ApiWorld,
  createApiWorld,
  cuttable,
  fastHasher,
  sendRaw,
  type TestApi,
} from "../support/test-api.ts";
import { acceptWebSocket } from "../support/web-socket-server.ts";

describe("WebSockets, on a listener of somebody else's", () => {
  let world: ApiWorld;
  let api: TestApi;
  let instance: RunningInstance;
  let server: Server;
  let link: ReturnType<typeof cuttable>;
  let port: number;
  let token: string;

  beforeEach(async () => {
    const settings = { MAX_STALENESS_MS: 1_500 };
    world = await createApiWorld({ settings });
    await world.startWorker();
    api = await world.startApi();
    const parts = world.connectParts();
    link = cuttable(parts.store);
    instance = await startInstance({
      settings: { ...world.defaults, ...settings, SYNC_INTERVAL_MS: 50 },
      platform: world.platform,
      log: silentLog,
      parts: { ...parts, store: link.store },
      keys: world.keys,
      hasher: fastHasher,
      withProcessMetrics: false,
      instanceId: world.platform.ids.uuid(),
      onFailure: () => undefined,
    });
    server = createServer(instance.handle);
    server.on("upgrade", (request, socket) => {
      const accepted = instance.authenticateUpgrade(request, socket);
      if (accepted !== null) instance.guardWebSocket(accepted, acceptWebSocket(request, socket));
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const address = server.address();
    port = typeof address === "object" ? (address?.port ?? 0) : 0;
    await instance.whenReady();
    token = await api.signIn();
  });
  afterEach(async () => {
    await instance.drain();
    await instance.close();
    server.closeAllConnections();
    server.close();
    await world.close();
  });

  async function open(
    of: string,
    attempts = 0,
  ): Promise<{ closed: Promise<{ code: number; reason: string }> }> {
    const socket = new WebSocket(`ws://127.0.0.1:${port}/`, { headers: { authorization: `Bearer ${of}` } });
    const closed = once(socket, "close").then(([event]: unknown[]) => {
      const { code, reason } = event as { code: number; reason: string };
      return { code, reason };
    });
    const isOpen = await Promise.race([once(socket, "open").then(() => true), closed.then(() => false)]);
    if (isOpen) return { closed };
    // A machine that was busy for longer than the lease: the instance refuses until its next sync.
    if (attempts > 20) throw new Error("the upgrade is refused");
    await delay(100);
    return open(of, attempts + 1);
  }

  const askFor = (headers: string) =>
    sendRaw(
      port,
      `GET / HTTP/1.1\r\nHost: a\r\n${headers}Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n`,
    );

  it("are closed with the reason when their token is revoked", async () => {
    const id = await api.createUser(token, { email: "alice@example.com", password: "long enough" });
    const { closed } = await open(await api.signIn("alice@example.com", "long enough"));
    await api.call(`/users/${id}/deactivate`, { method: "POST", token });

    expect(await closed).to.deep.equal({ code: 1008, reason: "revoked" });
  });

  it("are closed when the instance goes stale, and refused then before the token is looked at", async () => {
    const { closed } = await open(token);
    link.cut();
    expect(await closed).to.deep.equal({ code: 1013, reason: "stale" });

    const refused = await askFor("Authorization: Bearer garbage\r\n");
    expectProblem(refused, "replica-stale");
    expect(refused.headers.get("retry-after")).to.equal("1");
  });

  it("are closed when the instance drains", async () => {
    const { closed } = await open(token);
    await instance.drain();

    expect(await closed).to.deep.equal({ code: 1001, reason: "shutting-down" });
  });

  it("are refused as requests are, without a token, with a bad one, and with one that was revoked", async () => {
    expectProblem(await askFor(""), "token-missing");
    expectProblem(await askFor("Authorization: Bearer garbage\r\n"), "token-malformed");
    await api.call("/auth/logout", { method: "POST", token });
    const headers = { authorization: `Bearer ${token}` };
    await eventually(async () => {
      expect((await fetch(`http://127.0.0.1:${port}/me`, { headers })).status).to.equal(401);
    });

    const refused = await askFor(`Authorization: Bearer ${token}\r\n`);
    expectProblem(refused, "token-revoked");
    expect(refused.headers.get("www-authenticate")).to.match(/^Bearer .*error="invalid_token"/);
  });
});
