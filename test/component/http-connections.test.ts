import { once } from "node:events";
import { createConnection, Server, type Socket } from "node:net";
import { expect } from "chai";
import { afterEach, beforeEach, describe, it } from "mocha";
import { startHttpServer } from "../../api/http-server.ts";
import { silentLog } from "../../shared/log.ts";
import { createPlatform } from "../../shared/platform.ts";
import { eventually } from "../support/eventually.ts";
import { createRecordingLog } from "../support/own-redis.ts";
import { type ApiWorld, createApiWorld, sendRaw, type TestApi } from "../support/test-api.ts";

describe("connections", () => {
  let world: ApiWorld;
  let api: TestApi;
  let token: string;
  const sockets: Socket[] = [];

  beforeEach(async () => {
    world = await createApiWorld();
    await world.startWorker();
    api = await world.startApi();
    token = await api.signIn();
  });
  afterEach(async () => {
    for (const socket of sockets.splice(0)) socket.destroy();
    await world.close();
  });

  async function open(bytes = "") {
    const socket = createConnection(api.port, "127.0.0.1");
    sockets.push(socket);
    await once(socket, "connect");
    const seen = { text: "", isClosed: false };
    socket.setEncoding("latin1").on("data", (chunk) => {
      seen.text += String(chunk);
    });
    socket
      .on("error", () => undefined)
      .once("close", () => {
        seen.isClosed = true;
      });
    if (bytes !== "") socket.write(bytes);
    return { socket, seen };
  }

  it("that say nothing, or not all of it, or nothing more, do not hold up a shutdown", async () => {
    const silent = await open();
    const half = await open("GET /livez HTTP/1.1\r\nHost:");
    const idle = await open("GET /livez HTTP/1.1\r\nHost: a\r\n\r\n");
    await eventually(() => expect(idle.seen.text).to.match(/^HTTP\/1.1 200/));
    const startedAt = performance.now();
    await api.api.close();

    expect(performance.now() - startedAt).to.be.below(5_000);
    await eventually(() => {
      expect([silent, half, idle].map(({ seen }) => seen.isClosed)).to.deep.equal([true, true, true]);
    });
    const refused = await sendRaw(api.port, "GET /livez HTTP/1.1\r\n\r\n").catch(() => "refused");
    expect(refused).to.equal("refused");
  });

  const streamRequest = (method: string) =>
    `${method} /me/stream HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer ${token}\r\n\r\n`;

  async function openStreams(): Promise<string | undefined> {
    return /^revocation_open_streams (\d+)$/m.exec(await (await fetch(`${api.url}/metrics`)).text())?.[1];
  }

  it("open a stream that waited behind another answer", async () => {
    const { seen } = await open(`GET /livez HTTP/1.1\r\nHost: a\r\n\r\n${streamRequest("GET")}`);
    await eventually(() => expect(seen.text).to.match(/"ok"[^]*HTTP\/1\.1 200[^]*event: open/));
    expect(await openStreams()).to.equal("1");
  });

  it("open no stream for HEAD", async () => {
    const { seen } = await open(streamRequest("HEAD"));
    await eventually(() => expect(seen.text).to.match(/^HTTP\/1\.1 200[^]*text\/event-stream[^]*\r\n\r\n$/));
    expect(await openStreams()).to.equal("0");
  });

  it("leave no stream behind that waited behind another one, nor one that its client did not wait for", async () => {
    const { socket, seen } = await open(streamRequest("GET") + streamRequest("GET"));
    await eventually(() => expect(seen.text).to.contain("event: open"));
    socket.destroy();
    for (let n = 0; n < 20; n += 1) (await open(streamRequest("GET"))).socket.destroy();
    await eventually(async () => expect(await openStreams()).to.equal("0"));
  });

  for (const [title, requests] of [
    ["the first", ["GET"]],
    ["the first, behind which another one waits", ["GET", "GET"]],
  ] as const) {
    it(`get no other answer into the middle of ${title}`, async () => {
      const { socket, seen } = await open(requests.map(streamRequest).join(""));
      await eventually(() => expect(seen.text).to.contain("event: open"));
      socket.write("this is no HTTP\r\n\r\n");
      await eventually(() => expect(seen.isClosed).to.equal(true));
      expect(seen.text.match(/HTTP\/1\.1/g)).to.have.length(1);
    });
  }

  it("serve the next call after one whose body was too large", async () => {
    const login = "POST /auth/login HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n";
    const { seen } = await open(
      `${login}Content-Length: 50000\r\n\r\n${"a".repeat(50_000)}GET /livez HTTP/1.1\r\nHost: a\r\n\r\n`,
    );
    await eventually(() => {
      expect([...seen.text.matchAll(/HTTP\/1\.1 (\d+)/g)].map(([, status]) => status)).to.deep.equal([
        "413",
        "200",
      ]);
    });
  });

  it("that ask for a tunnel and are reset do no harm", async () => {
    for (let round = 0; round < 20; round += 1) {
      const { socket, seen } = await open("CONNECT a:80 HTTP/1.1\r\nHost: a:80\r\n\r\n");
      if (round % 2 === 0) await eventually(() => expect(seen.text).to.match(/^HTTP\/1.1 405/));
      socket.resetAndDestroy();
    }
    expect(
      (await sendRaw(api.port, "GET /livez HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")).status,
    ).to.equal(200);
  });

  for (const [asked, request] of [
    ["ask for a tunnel", "CONNECT a:80 HTTP/1.1\r\nHost: a:80\r\n\r\n"],
    ["send no HTTP", "this is no HTTP\r\n\r\n"],
  ] as const) {
    it(`that ${asked} and never close are gone after their answer`, async () => {
      const { ids } = createPlatform();
      const own = await startHttpServer((_request, response) => response.end("served"), {
        host: "127.0.0.1",
        port: 0,
        ids,
        log: silentLog,
        maxConnections: 1,
      });
      const client = createConnection({
        port: Number(new URL(own.url).port),
        host: "127.0.0.1",
        allowHalfOpen: true,
      });
      sockets.push(client.on("error", () => undefined).resume());
      client.write(request);
      await once(client, "end");
      await eventually(async () => expect(await (await fetch(own.url)).text()).to.equal("served"));
      await own.close();
    });
  }

  it("that the system does not hand over are counted in the log, and the next ones are served", async () => {
    const log = createRecordingLog();
    const own = await startHttpServer(
      ({ socket }, response) => {
        if ("server" in socket && socket.server instanceof Server)
          socket.server.emit("error", new Error("EMFILE"));
        response.end("served");
      },
      { host: "127.0.0.1", port: 0, ids: createPlatform().ids, log },
    );
    for (let call = 0; call < 2; call += 1) expect(await (await fetch(own.url)).text()).to.equal("served");
    expect(log.lines).to.deep.equal(["http.connection-refused", "http.connection-refused"]);
    await own.close();
  });

  it("are not taken at a port that is in use", async () => {
    const { ids } = createPlatform();
    const options = { host: "127.0.0.1", port: api.port, ids, log: silentLog };
    const failure: unknown = await startHttpServer(() => undefined, options).catch((error: unknown) => error);
    expect(failure).to.have.property("code", "EADDRINUSE");
  });
});
