import { createServer, type RequestListener, type Server, STATUS_CODES } from "node:http";
import type { Duplex } from "node:stream";
import { AppError, type ErrorCode } from "../shared/errors.ts";
import type { Ids } from "../shared/ports/platform.ts";
import { createProblem, problemContentType } from "./problem.ts";

export interface HttpServerOptions {
  readonly host: string;
  readonly port: number;
  readonly ids: Ids;
}

export interface ListeningServer {
  readonly url: string;
  /** Takes no more connections; resolves when every request under way has been answered. */
  close(): Promise<void>;
}

const requestTimeoutMs = 30_000;
/** Longer than a balancer keeps an idle connection, so that it is not the one to be surprised. */
const keepAliveMs = 65_000;

/** Rejects with the system's error when it cannot listen. */
export async function startHttpServer(
  listener: RequestListener,
  { host, port, ids }: HttpServerOptions,
): Promise<ListeningServer> {
  const server = createServer(
    {
      maxHeaderSize: 16 * 1024,
      headersTimeout: requestTimeoutMs,
      requestTimeout: requestTimeoutMs,
      keepAliveTimeout: keepAliveMs,
      // A missing Host would be answered by Node without a body: the first middleware refuses it instead.
      requireHostHeader: false,
    },
    listener,
  );
  server.on("clientError", (error: NodeJS.ErrnoException, socket) => answerBelowKoa(error, socket, ids));
  await listen(server, host, port);
  return {
    url: urlOf(server, host),
    close: () =>
      new Promise((resolve, reject) => {
        server.close((error) => (error ? reject(error) : resolve()));
      }),
  };
}

function listen(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, host, () => {
      server.off("error", reject);
      resolve();
    });
  });
}

function urlOf(server: Server, host: string): string {
  const address = server.address();
  if (address === null || typeof address === "string") throw new TypeError("not a TCP server");
  return `http://${host.includes(":") ? `[${host}]` : host}:${address.port}`;
}

const refusals: Record<string, readonly [code: ErrorCode, detail: string]> = {
  HPE_HEADER_OVERFLOW: ["request-header-too-large", "The request's headers may have at most 16 KB."],
  ERR_HTTP_REQUEST_TIMEOUT: ["request-timeout", "The request did not arrive within 30 s."],
};

/** What Node's parser refuses never reaches Koa: it gets an answer of the same form. */
function answerBelowKoa(error: NodeJS.ErrnoException, socket: Duplex, ids: Ids): void {
  if (error.code === "ECONNRESET" || !socket.writable) {
    socket.destroy();
    return;
  }
  const [code, detail] = refusals[error.code ?? ""] ?? [
    "request-malformed",
    "The request is not well-formed HTTP.",
  ];
  const requestId = ids.uuid();
  const { body, headers } = createProblem(new AppError(code, detail), { instance: "", requestId });
  const text = JSON.stringify(body);
  const head = {
    ...headers,
    "content-type": problemContentType,
    "content-length": String(Buffer.byteLength(text)),
    "x-request-id": requestId,
    connection: "close",
  };
  const lines = Object.entries(head).map(([name, value]) => `${name}: ${value}\r\n`);
  socket.end(`HTTP/1.1 ${body.status} ${STATUS_CODES[body.status] ?? ""}\r\n${lines.join("")}\r\n${text}`);
}
