import { createHash } from "node:crypto";
import { EventEmitter } from "node:events";
import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import type { GuardedSocket } from "../../api/web-sockets/guard-web-socket.ts";

/** RFC 6455 §1.3. */
const handshakeGuid = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
const closeOpcode = 0x88;

/** The least of a WebSocket server: its half of the handshake, and close frames. It reads nothing. */
export function acceptWebSocket(request: IncomingMessage, socket: Duplex): GuardedSocket {
  const key = request.headers["sec-websocket-key"] ?? "";
  const accept = createHash("sha1").update(`${key}${handshakeGuid}`).digest("base64");
  const lines = ["HTTP/1.1 101 Switching Protocols", "Upgrade: websocket", "Connection: Upgrade"];
  socket.write(`${lines.join("\r\n")}\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`);
  const events = new EventEmitter();
  socket.on("close", () => events.emit("close")).on("error", () => socket.destroy());
  socket.resume();
  return {
    close(code, reason) {
      const text = Buffer.from(reason);
      const frame = Buffer.from([closeOpcode, text.length + 2, code >> 8, code & 0xff]);
      socket.write(Buffer.concat([frame, text]));
    },
    terminate: () => socket.destroy(),
    once: (event, listener) => events.once(event, listener),
  };
}
