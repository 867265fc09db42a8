import { once } from "node:events";
import { createConnection, type Socket } from "node:net";
import { expect } from "chai";
import { after, afterEach, before, describe, it } from "mocha";
import { type ListeningServer, startHttpServer } from "../../../api/http-server.ts";
import { readBody } from "../../../api/middleware/read-body.ts";
import { silentLog } from "../../../shared/log.ts";
import { createPlatform } from "../../../shared/platform.ts";
import { eventually } from "../../support/eventually.ts";
import { expectProblem } from "../../support/expect-problem.ts";
import { type ApiWorld, createApiWorld, sendRaw, type TestApi } from "../../support/test-api.ts";

describe("limits of HTTP", () => {
  describe("of time and of connections", () => {
    let server: ListeningServer | undefined;
    const sockets: Socket[] = [];
    const { ids } = createPlatform();
    const common = { host: "127.0.0.1", port: 0, ids, log: silentLog };
    const portOf = ({ url }: ListeningServer) => Number(new URL(url).port);

    afterEach(async () => {
      for (const socket of sockets.splice(0)) socket.destroy();
      await server?.close();
    });

    const arrival = { limitMs: 100, checkMs: 20 };
    const slow: [name: string, bytes: string][] = [
      ["headers that stop", "POST /auth/login HTTP/1.1\r\nHost: a\r\nContent-"],
      [
        "a body that stops",
        "POST /auth/login HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 99\r\n\r\n{",
      ],
      [
        "chunks that stop",
        "POST /auth/login HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n{\r\n",
      ],
    ];
    for (const [name, bytes] of slow) {
      it(`B3: ${name}: request-timeout`, async () => {
        server = await startHttpServer(
          (request, response) => void readBody(request).catch(() => response.destroy()),
          { ...common, arrival },
        );
        expectProblem(await sendRaw(portOf(server), bytes), "request-timeout");
      });
    }

    it("an answer that nobody reads is given up", async () => {
      const tooMuch = Buffer.alloc(64 * 1024 * 1024);
      const silenceMs = 200;
      let isGivenUp = false;
      server = await startHttpServer(
        (_, response) => {
          response.once("close", () => {
            isGivenUp = true;
          });
          response.end(tooMuch);
        },
        { ...common, silenceMs },
      );
      const socket = createConnection(portOf(server), "127.0.0.1").pause();
      sockets.push(socket);
      socket.on("error", () => undefined).write("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
      await eventually(() => expect(isGivenUp).to.equal(true));
    });

    it("a connection too many is closed, and taken again when another one has gone", async () => {
      server = await startHttpServer((_, response) => response.end("served"), {
        ...common,
        maxConnections: 2,
      });
      const port = portOf(server);
      for (let count = 0; count < 2; count += 1) {
        const socket = createConnection(port, "127.0.0.1");
        sockets.push(socket);
        await once(socket, "connect");
        socket.write("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
        await once(socket, "data");
      }
      const request = "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
      const send = () => sendRaw(port, request).catch(() => ({ status: 0 }));
      expect((await send()).status).to.equal(0);
      sockets.shift()?.destroy();
      await eventually(async () => expect((await send()).status).to.equal(200));
    });
  });

  describe("of what is sent", () => {
    let world: ApiWorld;
    let api: TestApi;

    before(async () => {
      world = await createApiWorld({ settings: { CORS_ORIGINS: ["https://app.example.com"] } });
      api = await world.listen();
    });
    after(() => world.close());

    it("a path or a query of more than 8 KB: uri-too-long", async () => {
      for (const target of [`/${"a".repeat(9_000)}`, `/users?email=${"a".repeat(9_000)}`]) {
        const answer = await sendRaw(
          api.port,
          `GET ${target} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`,
        );
        expectProblem(answer, "uri-too-long");
      }
    });

    it("a bomb in gzip is not unpacked: unsupported-media-type", async () => {
      const answer = await sendRaw(
        api.port,
        "POST /auth/login HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\n\x1f\x8b..",
      );
      expectProblem(answer, "unsupported-media-type");
    });

    const corsHeaders = ({ headers }: Pick<Response, "headers">) => [
      headers.get("access-control-allow-origin"),
      headers.get("access-control-allow-credentials"),
    ];

    it("pages of an origin that is set may call, and see what went wrong", async () => {
      const headers = { origin: "https://app.example.com" };
      const refused = await api.call("/me", { headers });
      expect(corsHeaders(refused)).to.deep.equal(["https://app.example.com", null]);
      expect(refused.headers.get("access-control-expose-headers")).to.contain("x-request-id");
      const preflight = await api.call("/users", {
        method: "OPTIONS",
        headers: { ...headers, "access-control-request-method": "POST" },
      });
      expect([preflight.status, ...corsHeaders(preflight)]).to.deep.equal([204, headers.origin, null]);
      expect(preflight.headers.get("access-control-allow-headers")).to.contain("authorization");
      expect(preflight.headers.get("vary")).to.match(/origin/i);
    });

    it("pages of any other origin may not", async () => {
      for (const origin of ["https://app.example.com.evil.example", "http://app.example.com", "null"]) {
        expect(corsHeaders(await api.call("/me", { headers: { origin } }))).to.deep.equal([null, null]);
      }
    });

    it("every answer bears the headers of security", async () => {
      for (const path of ["/livez", "/me", "/nothing"]) {
        const { headers } = await api.call(path);
        expect(headers.get("x-content-type-options"), path).to.equal("nosniff");
        expect(headers.get("strict-transport-security"), path).to.match(/^max-age=\d{8,}/);
        expect(headers.get("content-security-policy"), path).to.contain("default-src 'self'");
        expect(headers.get("x-frame-options"), path).to.equal("SAMEORIGIN");
        expect(headers.get("x-powered-by"), path).to.equal(null);
        expect(headers.get("access-control-allow-origin"), path).to.equal(null);
      }
    });
  });
});
