import {
  createServer,
  type IncomingMessage,
  type RequestListener,
  type Server,
  type ServerResponse,
} from "node:http";
import type { Duplex } from "node:stream";
import { AppError, type ErrorCode } from "../shared/errors.ts";
import { listen } from "../shared/listen.ts";
import type { Log } from "../shared/log.ts";
import type { Ids } from "../shared/ports/platform.ts";
import { answerOnSocket } from "./answer-on-socket.ts";

export interface HttpServerOptions {
  readonly host: string;
  readonly port: number;
  readonly ids: Ids;
  readonly log: Log;
  /** More are closed at once; as many as the system gives unless set. */
  readonly maxConnections?: number;
  /** How long a request may take to arrive, and how often those that take longer are looked for. */
  readonly arrival?: { readonly limitMs: number; readonly checkMs: number };
  /** After so long without a byte in either direction a connection is closed, whatever it waits for. */
  readonly silenceMs?: number;
}

export interface ListeningServer {
  readonly url: string;
  /** Takes no more connections; resolves when every request under way has been answered. */
  close(): Promise<void>;
}

/** Longer than a balancer keeps an idle connection, so that it is not the one to be surprised. */
const keepAliveMs = 65_000;

/** Longer than a receipt is waited for, or an event stream is quiet: what is silent for longer is not read. */
const usualSilenceMs = 120_000;
const usualArrival = { limitMs: 30_000, checkMs: 5_000 };

/** Rejects with the system's error when it cannot listen. */
export async function startHttpServer(
  listener: RequestListener,
  options: HttpServerOptions,
): Promise<ListeningServer> {
  const { host, port, ids, log, arrival = usualArrival } = options;
  const server = createServer({
    maxHeaderSize: 16 * 1024,
    headersTimeout: arrival.limitMs,
    requestTimeout: arrival.limitMs,
    keepAliveTimeout: keepAliveMs,
    connectionsCheckingInterval: arrival.checkMs,
    // A missing Host would be answered by Node without a body: the first middleware refuses it instead.
    requireHostHeader: false,
  });
  // Node would drop those beyond a count without a word, a second Authorization or Host too: their size is the bound.
  server.maxHeadersCount = 0;
  server.timeout = options.silenceMs ?? usualSilenceMs;
  const connections = watchConnections(server);
  if (options.maxConnections !== undefined) limitConnections(server, options.maxConnections, log);
  server.on("request", takeOriginForm);
  server.on("request", listener);
  // RFC 9110 §10.1.1: an expectation that is not known may be ignored.
  server.on("checkExpectation", (request, response) => server.emit("request", request, response));
  server.on("connect", (_request, socket) => {
    // RFC 9110 §10.2.1: an empty Allow, as there is no resource that CONNECT could name.
    const refused = new AppError("method-not-allowed", "This is not a proxy.", { headers: { allow: "" } });
    answerOnSocket(socket, refused, ids);
  });
  server.on("clientError", (error: NodeJS.ErrnoException, socket) => {
    if (connections.isAnswering(socket) || error.code === "ECONNRESET" || !socket.writable) socket.destroy();
    else answerOnSocket(socket, refusalOf(error), ids);
  });
  await listen(server, host, port);
  // A connection that the system did not hand over, such as for want of files: the next ones may come through.
  server.on("error", (err) => log.warn("http.connection-refused", { err }));
  return {
    url: urlOf(server, host),
    close: () =>
      new Promise((resolve, reject) => {
        server.close((error) => (error ? reject(error) : resolve()));
        connections.close();
      }),
  };
}

/** One log line each time that it fills up. */
function limitConnections(server: Server, most: number, log: Log): void {
  let open = 0;
  let isFull = false;
  server.maxConnections = most;
  server.on("connection", (socket) => {
    open += 1;
    socket.once("close", () => {
      open -= 1;
      if (open <= most * 0.9) isFull = false;
    });
  });
  server.on("drop", () => {
    if (!isFull) log.warn("http.connections-full", { open: most });
    isFull = true;
  });
}

function urlOf(server: Server, host: string): string {
  const address = server.address();
  if (address === null || typeof address === "string") throw new TypeError("not a TCP server");
  return `http://${host.includes(":") ? `[${host}]` : host}:${address.port}`;
}

const refusals: Record<string, readonly [code: ErrorCode, detail: string]> = {
  HPE_HEADER_OVERFLOW: ["request-header-too-large", "The request's headers may have at most 16 KB."],
  ERR_HTTP_REQUEST_TIMEOUT: ["request-timeout", "The request took too long to arrive."],
};

function refusalOf({ code = "" }: NodeJS.ErrnoException): AppError {
  const [slug, detail] = refusals[code] ?? ["request-malformed", "The request is not well-formed HTTP."];
  return new AppError(slug, detail);
}

/** Which answers each connection waits for: one that waits for none can be closed at any time. */
function watchConnections(server: Server) {
  const answers = new Map<Duplex, Set<ServerResponse>>();
  let isClosing = false;
  server.on("connection", (socket) => {
    answers.set(socket, new Set());
    socket.once("close", () => answers.delete(socket));
  });
  server.on("request", ({ socket }, response) => {
    const ofSocket = answers.get(socket);
    ofSocket?.add(response);
    response.once("close", () => {
      ofSocket?.delete(response);
      if (isClosing && ofSocket?.size === 0) socket.destroySoon();
    });
  });
  return {
    isAnswering: (socket: Duplex): boolean =>
      [...(answers.get(socket) ?? [])].some(({ headersSent }) => headersSent),
    /** Those at once that wait for nothing, the others after their answer. */
    close(): void {
      isClosing = true;
      for (const [socket, ofSocket] of answers) if (ofSocket.size === 0) socket.destroy();
    },
  };
}

/** RFC 9112 §3.2.2: a target with scheme and authority is taken for its path; nothing here depends on the rest. */
function takeOriginForm(request: IncomingMessage): void {
  const target = (request.url ?? "").replace(/^[a-z][a-z0-9+.-]*:\/\/[^/?#]*/i, "");
  request.url = target.startsWith("/") || target === "*" ? target : `/${target}`;
}
