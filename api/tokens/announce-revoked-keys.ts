import { encodeEvent } from "../../shared/events/encode-event.ts";
import { ownSource, type QuashEvent } from "../../shared/events/event.ts";
import { keyRevocationIdOf } from "../../shared/events/event-id.ts";
import { keyNameOf } from "../../shared/events/key-name.ts";
import type { Log } from "../../shared/log.ts";
import type { EventLog } from "../../shared/ports/event-log.ts";
import type { Ledger } from "../../shared/ports/ledger.ts";
import type { Platform } from "../../shared/ports/platform.ts";
import { pendingRowOfOwnEvent } from "../../shared/revocation/pending-row.ts";
import type { KeyRing } from "./key-ring.ts";

export interface AnnounceDeps extends Pick<Platform, "clock" | "timers" | "randomness"> {
  readonly keys: Pick<KeyRing, "listed">;
  readonly ledger: Pick<Ledger, "find" | "insertPending">;
  readonly eventLog: Pick<EventLog, "publish">;
  readonly namespace: string;
  readonly log: Log;
}

export interface KeyAnnouncer {
  /** The keys have changed. */
  wake(): void;
  close(): Promise<void>;
}

/** What the store holds of it goes with the longest token: for as long as the file says so, it is said anew. */
const againEveryMs = 60_000;
const firstPauseMs = 200;
const longestPauseMs = 5_000;

/**
 * Tells all instances of the keys that the file of this one marks as compromised. The ledger's pending row is what
 * counts: a worker applies it within 2 s where Kafka does not take the event. All instances that read the file say the
 * same under one id.
 */
export function startKeyAnnouncer(deps: AnnounceDeps): KeyAnnouncer {
  const { clock, timers, randomness, keys, ledger, eventLog, namespace, log } = deps;
  const stopped = new AbortController();
  let waiting = new AbortController();
  let failures = 0;
  const running = run();

  async function run(): Promise<void> {
    while (!stopped.signal.aborted) {
      waiting = new AbortController();
      const pauseMs = await round();
      if (stopped.signal.aborted) return;
      await (pauseMs === null ? aborted(waiting.signal) : timers.sleep(pauseMs, waiting.signal));
    }
  }

  /** How long to wait for the next one; null: until the keys change. */
  async function round(): Promise<number | null> {
    const compromised = keys.listed.filter(({ compromisedAtMs }) => compromisedAtMs !== null);
    try {
      for (const { thumbprint, kid } of compromised) await announce(thumbprint, kid);
      failures = 0;
      return compromised.length === 0 ? null : againEveryMs;
    } catch (err) {
      failures += 1;
      if (failures === 1) log.warn("keys.announcement-waits", { err });
      const pauseMs = Math.min(longestPauseMs, firstPauseMs * 2 ** Math.min(failures, 10));
      return pauseMs * (0.5 + randomness.fraction() / 2);
    }
  }

  async function announce(thumbprint: string, kid: string): Promise<void> {
    const event: QuashEvent = {
      id: keyRevocationIdOf(thumbprint),
      source: ownSource(namespace),
      type: "token.revoked",
      timeMs: clock.wallMs(),
      details: { jti: keyNameOf(thumbprint), reason: "the signing key is compromised" },
    };
    if ((await ledger.find(event.id))?.source === event.source) return;
    await ledger.insertPending([pendingRowOfOwnEvent(event)]);
    log.info("revocation.requested", { event_id: event.id, type: event.type, kid });
    await eventLog.publish("events", [encodeEvent(event)]).catch((err: unknown) => {
      log.warn("event.left-to-relay", { event_id: event.id, err });
    });
  }

  return {
    wake: () => waiting.abort(),
    async close() {
      stopped.abort();
      waiting.abort();
      await running;
    },
  };
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    signal.addEventListener("abort", () => resolve(), { once: true });
  });
}
