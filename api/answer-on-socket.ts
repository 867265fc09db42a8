import { STATUS_CODES } from "node:http";
import type { Duplex } from "node:stream";
import type { AppError } from "../shared/errors.ts";
import type { Ids } from "../shared/ports/platform.ts";
import { createProblem, problemContentType } from "./problem.ts";

/** For what never reaches Koa: an answer of the same form, and the end of the connection. */
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
  socket.end(`HTTP/1.1 ${body.status} ${STATUS_CODES[body.status] ?? ""}\r\n${lines.join("")}\r\n${text}`);
}
