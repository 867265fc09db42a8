import { once } from "node:events";
import { connect, type Socket } from "node:net";

export interface RawResponse {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
}

export interface RawClient {
  /** Sends bytes that are one request, on a connection that is kept open, and takes one answer. */
  readonly send: (bytes: Buffer) => Promise<RawResponse>;
  readonly close: () => void;
}

/** Connections in one process, each with one request at a time; one that the other side ends is replaced. */
export function createRawClient(port: number): RawClient {
  const idle: Socket[] = [];
  const open = new Set<Socket>();

  async function take(): Promise<Socket> {
    const kept = idle.pop();
    if (kept?.readable && kept.writable) return kept;
    const socket = connect(port, "127.0.0.1").on("error", () => undefined);
    open.add(socket);
    socket.once("close", () => open.delete(socket));
    await once(socket, "connect");
    return socket;
  }

  return {
    async send(bytes) {
      const socket = await take();
      const { response, isWhole } = await exchange(socket, bytes);
      if (isWhole && response.headers.get("connection") !== "close") idle.push(socket);
      else socket.destroy();
      return response;
    },
    close() {
      for (const socket of open) socket.destroy();
    },
  };
}

/** `isWhole`: the answer ended by its own length, and not with the connection. */
async function exchange(socket: Socket, bytes: Buffer): Promise<{ response: RawResponse; isWhole: boolean }> {
  return new Promise((resolve) => {
    let received = "";
    const onData = (chunk: Buffer) => {
      received += chunk.toString("latin1");
      const response = parseResponse(received);
      if (response !== null) finish(response, true);
    };
    const onClose = () =>
      finish(parseResponse(received) ?? { status: 0, headers: new Headers(), text: received }, false);
    const finish = (response: RawResponse, isWhole: boolean) => {
      socket.off("data", onData).off("close", onClose);
      resolve({ response, isWhole });
    };
    socket.on("data", onData).once("close", onClose);
    socket.write(bytes);
  });
}

/** Null while it is not all there. */
function parseResponse(received: string): RawResponse | null {
  const end = received.indexOf("\r\n\r\n");
  if (end === -1) return null;
  const [first = "", ...lines] = received.slice(0, end).split("\r\n");
  const headers = new Headers();
  for (const line of lines) {
    const colon = line.indexOf(":");
    headers.append(line.slice(0, colon), line.slice(colon + 1).trim());
  }
  const length = Number(headers.get("content-length") ?? 0);
  if (received.length < end + 4 + length) return null;
  return { status: Number(first.split(" ")[1]), headers, text: received.slice(end + 4, end + 4 + length) };
}
