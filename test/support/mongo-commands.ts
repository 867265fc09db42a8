import { connect, createServer, type Socket } from "node:net";
import mongoose from "mongoose";

export interface CommandRecorder {
  readonly port: number;
  /** Every command that was sent, in its order. */
  readonly commands: readonly Readonly<Record<string, unknown>>[];
  close(): Promise<void>;
}

const opMsg = 2013;

/** Stands before a server that speaks MongoDB's protocol, and keeps what the clients ask it for. */
export async function recordCommands(target: { host: string; port: number }): Promise<CommandRecorder> {
  const commands: Record<string, unknown>[] = [];
  const sockets = new Set<Socket>();
  const server = createServer((client) => {
    const upstream = connect(target.port, target.host);
    let rest = Buffer.alloc(0);
    client.on("data", (chunk) => {
      rest = readMessages(Buffer.concat([rest, chunk]), commands);
    });
    for (const [socket, other] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      sockets.add(socket);
      socket.on("error", () => other.destroy());
      socket.on("close", () => other.destroy());
      socket.pipe(other);
    }
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("not a TCP address");
  return {
    port: address.port,
    commands,
    close() {
      for (const socket of sockets) socket.destroy();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}

/** A message: a header of 16 bytes, which begins with its length and ends with its kind; flags; then a body. */
function readMessages(received: Buffer, commands: Record<string, unknown>[]): Buffer<ArrayBuffer> {
  let rest = received;
  while (rest.length >= 16 && rest.length >= rest.readInt32LE(0)) {
    const message = rest.subarray(0, rest.readInt32LE(0));
    rest = rest.subarray(message.length);
    const hasBodyFirst = message.readInt32LE(12) === opMsg && message[20] === 0;
    if (!hasBodyFirst) continue;
    const body = message.subarray(21, 21 + message.readInt32LE(21));
    commands.push(mongoose.mongo.BSON.deserialize(body));
  }
  return Buffer.from(rest);
}
