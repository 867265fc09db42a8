import type { Timers } from "../../shared/ports/platform.ts";
import type { ClosingReason, OpenConnections, OpeningToken } from "../blacklist/connections.ts";

/** What is needed of a WebSocket; one of the library `ws` has it. */
export interface GuardedSocket {
  /** Starts the closing handshake (RFC 6455 §7.1.2). */
  close(code: number, reason: string): void;
  /** Ends the connection without it. */
  terminate(): void;
  once(event: "close", listener: () => void): unknown;
}

export interface WebSocketGuard {
  /**
   * To be asked before each message is obeyed or sent. Once the token is not accepted any more it is false for good,
   * and the socket is being closed: what a client that was refused still sends must not count, and neither must what
   * a process that was suspended finds in its buffers.
   */
  isAccepted(): boolean;
}

/** RFC 6455 §7.4.1 and its registry: 1001 going away, 1008 policy violation, 1013 try again later. */
const closeCodes: Record<ClosingReason, number> = {
  revoked: 1008,
  expired: 1008,
  stale: 1013,
  "shutting-down": 1001,
};

/** How long a client may take for its half of the closing handshake; one that does not answer is cut off then. */
const lastWordsMs = 1_000;

/**
 * Keeps a WebSocket open for only as long as the token that opened it is accepted: closes it, with the reason as the
 * text of the close frame, as soon as the token is revoked or expires, or this instance stops accepting tokens. To be
 * called as soon as the handshake is done. Holds nothing any more once the socket has closed.
 */
export function createGuardWebSocket(deps: {
  readonly connections: Pick<OpenConnections, "register" | "reasonToClose">;
  readonly timers: Timers;
}) {
  return function guardWebSocket(token: OpeningToken, socket: GuardedSocket): WebSocketGuard {
    let isRefused = false;
    let stopWaiting = () => {};
    const unregister = deps.connections.register(token, refuse);
    socket.once("close", () => {
      isRefused = true;
      unregister();
      stopWaiting();
    });

    function refuse(reason: ClosingReason): void {
      if (isRefused) return;
      isRefused = true;
      stopWaiting = deps.timers.after(lastWordsMs, () => socket.terminate());
      socket.close(closeCodes[reason], reason);
    }

    return {
      isAccepted() {
        if (isRefused) return false;
        const reason = deps.connections.reasonToClose(token);
        if (reason === null) return true;
        unregister();
        refuse(reason);
        return false;
      },
    };
  };
}

export type GuardWebSocket = ReturnType<typeof createGuardWebSocket>;
