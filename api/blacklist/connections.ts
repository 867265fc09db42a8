import type { Log } from "../../shared/log.ts";
import type { Cancel, Clock, Timers } from "../../shared/ports/platform.ts";
import type { Fingerprinter } from "../../shared/revocation/fingerprint.ts";
import type { PackedAdditions } from "../../shared/revocation/packed-additions.ts";
import type { Blacklist, CheckedClaims } from "./blacklist.ts";
import type { BlacklistFeed } from "./blacklist-feed.ts";
import { ConnectionIndex } from "./connection-index.ts";
import type { StalenessPolicy } from "./staleness-policy.ts";

export type ClosingReason = "revoked" | "expired" | "stale" | "shutting-down";

export interface OpeningToken {
  readonly claims: CheckedClaims;
  /** Of the route that took it; else the instance's own. */
  readonly policy?: StalenessPolicy | undefined;
}

/** The long-lived connections of this instance, each opened with a token that was good then. */
export interface OpenConnections {
  /**
   * Watches over a connection: calls `close`, once, when an addition revokes its token, when its token expires, or
   * when this instance stops accepting tokens; never before it has returned. The answer ends the watch; to be
   * called when the connection ends by itself.
   */
  register(token: OpeningToken, close: (reason: ClosingReason) => void): Cancel;
  /** Why a connection of this token must not be served any more; null while it may. No I/O. */
  reasonToClose(token: OpeningToken): ClosingReason | null;
  readonly size: number;
  /** Closes all of them as `stale`: whoever comes back has his token looked at anew. */
  closeForNewKeys(): void;
  /** Closes all of them, and at once those that come later. */
  close(): void;
}

export interface OpenConnectionsDeps {
  readonly blacklist: Blacklist;
  readonly feed: Pick<BlacklistFeed, "isAccepting" | "freshness" | "onRefusing">;
  readonly fingerprint: Fingerprinter;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly log: Log;
}

interface Connection extends OpeningToken {
  readonly close: (reason: ClosingReason) => void;
  cancelExpiry: Cancel;
}

/** The wall clock may step while a timer runs. */
const longestTimerMs = 60_000;

export function createOpenConnections(deps: OpenConnectionsDeps): OpenConnections {
  const { blacklist, feed, fingerprint, clock, timers, log } = deps;
  const connections = new Set<Connection>();
  const index = new ConnectionIndex<Connection>();
  let isClosed = false;
  const stopListening = [blacklist.onApplied(endRevoked), feed.onRefusing(endRefused)];

  const namesOf = ({ iss, sub, jti }: CheckedClaims) => [fingerprint(iss, sub), fingerprint(iss, jti)];

  function forget(connection: Connection): boolean {
    connection.cancelExpiry();
    for (const name of namesOf(connection.claims)) index.remove(name, connection);
    return connections.delete(connection);
  }

  function end(connection: Connection, reason: ClosingReason): void {
    if (!forget(connection)) return;
    try {
      connection.close(reason);
    } catch (err) {
      // Of one connection: the others, and what is being applied, go on.
      log.error("connection.not-closed", { err, reason });
    }
  }

  function endRevoked(additions: PackedAdditions): void {
    if (connections.size > 0) index.find(additions, endIfRevoked);
  }

  function endIfRevoked(connection: Connection): void {
    if (blacklist.isRevoked(connection.claims) !== null) end(connection, "revoked");
  }

  function endRefused(): void {
    for (const connection of connections) {
      const reason = reasonToRefuse(connection);
      if (reason !== null) end(connection, reason);
    }
  }

  function reasonToRefuse({ policy }: OpeningToken): "stale" | "shutting-down" | null {
    if (isClosed || feed.freshness().isClosed) return "shutting-down";
    return feed.isAccepting(policy) ? null : "stale";
  }

  /** In the order of the checks of a request: whether this instance may accept at all comes first. */
  function reasonToClose(token: OpeningToken): ClosingReason | null {
    const refusal = reasonToRefuse(token);
    if (refusal !== null) return refusal;
    if (token.claims.exp * 1000 <= clock.wallMs()) return "expired";
    return blacklist.isRevoked(token.claims) === null ? null : "revoked";
  }

  function watchExpiry(connection: Connection): void {
    const leftMs = connection.claims.exp * 1000 - clock.wallMs();
    if (leftMs <= 0) return end(connection, "expired");
    connection.cancelExpiry = timers.after(Math.min(leftMs, longestTimerMs), () => watchExpiry(connection));
  }

  /** What has changed between the check of the request and the registration was told to nobody. */
  function checkNew(connection: Connection): void {
    if (!connections.has(connection)) return;
    const reason = reasonToClose(connection);
    if (reason === null) watchExpiry(connection);
    else end(connection, reason);
  }

  return {
    register({ claims, policy }, close) {
      const connection: Connection = { claims, policy, close, cancelExpiry: () => undefined };
      connections.add(connection);
      for (const name of namesOf(claims)) index.add(name, connection);
      queueMicrotask(() => checkNew(connection));
      return () => void forget(connection);
    },
    reasonToClose,
    get size() {
      return connections.size;
    },
    closeForNewKeys() {
      for (const connection of connections) end(connection, "stale");
    },
    close() {
      isClosed = true;
      for (const stop of stopListening) stop();
      endRefused();
    },
  };
}
