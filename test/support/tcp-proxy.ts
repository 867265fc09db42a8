import { connect, createServer, type Socket } from "node:net";

export interface TcpAddress {
  readonly host: string;
  readonly port: number;
}

export interface TcpProxy {
  readonly port: number;
  /** Resets every connection and refuses new ones until `restore`. */
  cut(): void;
  /** Keeps every connection and takes new ones, but lets nothing through until `restore`. */
  stall(): void;
  /** Lets nothing through any more over a connection that sends such a chunk, that one included, until `restore`. */
  stallOn(isMeant: (sent: string) => boolean): void;
  /** Holds back what is sent, in both directions, for so long, until `restore`. */
  delay(latencyMs: number): void;
  /** Resets every connection; takes new ones. */
  reset(): void;
  restore(): void;
  /** Leads to another server from now on: resets every connection. */
  redirect(target: TcpAddress): void;
  close(): Promise<void>;
}

/** Stands between a process and a server, so that a test can cut that one link. */
export async function startTcpProxy(first: TcpAddress): Promise<TcpProxy> {
  let target = first;
  const sockets = new Set<Socket>();
  const state: ProxyState = { isCut: false, isStalled: false, latencyMs: 0, stallsOn: () => false };
  const held: (() => void)[] = [];
  const server = createServer((client) => {
    if (state.isCut) {
      client.resetAndDestroy();
      return;
    }
    const upstream = connect(target.port, target.host);
    for (const [socket, other] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      sockets.add(socket);
      socket.on("error", () => other.destroy());
      socket.on("close", () => {
        sockets.delete(socket);
        other.destroy();
      });
      forward(socket, other, state);
      if (state.isStalled) socket.pause();
    }
    client.prependListener("data", (sent: Buffer) => {
      if (!state.stallsOn(sent.toString("latin1"))) return;
      client.pause();
      upstream.cork();
      held.push(() => upstream.uncork());
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("not a TCP address");
  const resetAll = () => {
    for (const socket of sockets) socket.resetAndDestroy();
  };
  return {
    port: address.port,
    cut() {
      state.isCut = true;
      resetAll();
    },
    stall() {
      state.isStalled = true;
      for (const socket of sockets) socket.pause();
    },
    stallOn(isMeant) {
      state.stallsOn = isMeant;
    },
    delay(latencyMs) {
      state.latencyMs = latencyMs;
    },
    reset: resetAll,
    restore() {
      Object.assign(state, { isCut: false, isStalled: false, latencyMs: 0, stallsOn: () => false });
      for (const letGo of held.splice(0)) letGo();
      for (const socket of sockets) socket.resume();
    },
    redirect(to) {
      target = to;
      resetAll();
    },
    close() {
      resetAll();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}

interface ProxyState {
  isCut: boolean;
  isStalled: boolean;
  latencyMs: number;
  stallsOn: (sent: string) => boolean;
}

/** Each chunk leaves when its time has come, in the order in which they came. */
function forward(source: Socket, sink: Socket, state: Pick<ProxyState, "isStalled" | "latencyMs">): void {
  const held: (() => void)[] = [];
  const passOn = (send: () => void) => {
    if (state.latencyMs === 0 && held.length === 0) return send();
    held.push(send);
    // Whichever timer fires first, the oldest chunk goes first.
    setTimeout(() => held.shift()?.(), state.latencyMs);
  };
  source.on("data", (chunk: Buffer) =>
    passOn(() => {
      if (sink.destroyed || sink.write(chunk)) return;
      source.pause();
      sink.once("drain", () => state.isStalled || source.resume());
    }),
  );
  source.on("end", () => passOn(() => sink.end()));
}
