import { STATUS_CODES } from "node:http";
import type { Duplex } from "node:stream";
import type { AppError } from "../shared/errors.ts";
import type { Ids } from "../shared/ports/platform.ts";
import { createProblem, problemContentType } from "./problem.ts";

/**
 * For what never reaches Koa: an answer of the same form, and the end of the connection. Node takes its own listeners off
 * a socket before it emits `connect` or `upgrade`: an error that nobody listens to would end the process, and a client
 * that never closes would hold the connection for good.
 */
export function answerOnSocket(socket: Duplex, error: AppError, ids: Ids): void {
  const requestId = ids.uuid();
  const { body, headers } = createProblem(error, { instance: "", requestId });
  const text = JSON.stringify(body);
  const head = {
    ...headers,
    "content-type": problemContentType,
    "content-length": String(Buffer.byteLength(text)),
    "x-request-id": requestId,
    connection: "close",
  };
  const lines = Object.entries(head).map(([name, value]) => `${name}: ${value}\r\n`);
  socket.on("error", () => socket.destroy());
  // The silence that the server allows: its timer still runs.
  socket.once("timeout", () => socket.destroy());
  // What is left unread when a connection closes resets it, and the answer may be lost.
  socket.resume();
  socket.end(
    `HTTP/1.1 ${body.status} ${STATUS_CODES[body.status] ?? ""}\r\n${lines.join("")}\r\n${text}`,
    () => socket.destroy(),
  );
}
