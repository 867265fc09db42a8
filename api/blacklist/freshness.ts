import type { Log } from "../../shared/log.ts";
import type { Cancel, Platform } from "../../shared/ports/platform.ts";
import type { FreshnessView, MissingPart } from "./freshness-view.ts";
import type { Lease } from "./lease.ts";
import { acceptsForMs, type StalenessPolicy } from "./staleness-policy.ts";

export interface FreshnessDeps extends Pick<Platform, "clock" | "timers"> {
  readonly lease: Lease;
  readonly policy: StalenessPolicy;
  /** Of the routes that have one of their own. */
  readonly routePolicies?: readonly StalenessPolicy[];
  readonly maxStalenessMs: number;
  readonly log: Log;
}

/** Reads the lease at every question; a timer only sees to it that its end is noticed when nobody asks. */
export class Freshness {
  readonly #deps: FreshnessDeps;
  readonly #acceptsForMs: number;
  /** Of every policy in use, the shortest first. */
  readonly #acceptances: readonly number[];
  readonly #refusing = new Set<() => void>();
  #accepting = new Set<() => void>();
  #state: FreshnessView["state"] = "cold";
  #sinceMs: number;
  #missing: MissingPart | null = "store";
  /** How many of `#acceptances` held at the last look. */
  #acceptedUnder = 0;
  #isClosed = false;
  #cancelWatch: Cancel = () => undefined;

  constructor(deps: FreshnessDeps) {
    this.#deps = deps;
    this.#acceptsForMs = acceptsForMs(deps.policy, deps.maxStalenessMs);
    const policies = [deps.policy, ...(deps.routePolicies ?? [])];
    const acceptances = new Set(policies.map((policy) => acceptsForMs(policy, deps.maxStalenessMs)));
    this.#acceptances = [...acceptances].toSorted((a, b) => a - b);
    this.#sinceMs = deps.clock.wallMs();
  }

  isAccepting(policy: StalenessPolicy = this.#deps.policy): boolean {
    const elapsedMs = this.#observe();
    if (elapsedMs === null || this.#isClosed) return false;
    // Whoever waits for this instance to fall silent waits for what it registered, and no longer.
    const longestMs = this.#acceptances.at(-1) ?? 0;
    return elapsedMs <= Math.min(acceptsForMs(policy, this.#deps.maxStalenessMs), longestMs);
  }

  view(): FreshnessView {
    const stalenessMs = this.#observe();
    return {
      state: this.#state,
      sinceMs: this.#sinceMs,
      stalenessMs,
      missing: this.#missing,
      isClosed: this.#isClosed,
    };
  }

  noteMissing(missing: MissingPart | null): void {
    this.#missing = missing;
  }

  /** The lease was renewed. */
  noteRenewed(): void {
    this.#watch();
  }

  /** Nothing is accepted from here on. */
  close(): void {
    this.#isClosed = true;
    this.#cancelWatch();
    this.#observe();
  }

  /** Called each time that it stops accepting under a policy in use: when the lease has run out, or it is closed. */
  onRefusing(listener: () => void): Cancel {
    this.#refusing.add(listener);
    return () => void this.#refusing.delete(listener);
  }

  /** Resolves once it accepts; never after it was closed. */
  whenAccepting(): Promise<void> {
    if (this.isAccepting()) return Promise.resolve();
    return new Promise((resolve) => this.#accepting.add(resolve));
  }

  /** Notices what has changed since the last look; how long ago the view was complete. */
  #observe(): number | null {
    const elapsedMs = this.#deps.lease.elapsedMs();
    if (elapsedMs === null) {
      if (this.#isClosed) this.#noteAccepted(0);
      return null;
    }
    const state = elapsedMs <= this.#deps.maxStalenessMs ? "fresh" : "stale";
    if (state !== this.#state) this.#enter(state, elapsedMs);
    this.#noteAccepted(this.#isClosed ? 0 : this.#countHolding(elapsedMs));
    return elapsedMs;
  }

  #enter(state: "fresh" | "stale", elapsedMs: number): void {
    const nowMs = this.#deps.clock.wallMs();
    const forMs = nowMs - this.#sinceMs;
    const previous = this.#state;
    this.#state = state;
    this.#sinceMs = nowMs;
    if (state === "fresh") this.#deps.log.info("replica.fresh", { previous, previousForMs: forMs });
    else this.#deps.log.warn("replica.stale", { stalenessMs: elapsedMs, missing: this.#missing });
  }

  #countHolding(elapsedMs: number): number {
    let count = 0;
    for (const acceptanceMs of this.#acceptances) if (elapsedMs <= acceptanceMs) count += 1;
    return count;
  }

  /** The longest ones hold the longest: so many of them hold now. */
  #noteAccepted(count: number): void {
    const before = this.#acceptedUnder;
    this.#acceptedUnder = count;
    if (count < before) for (const listener of this.#refusing) listener();
    const needed = this.#acceptances.length - this.#acceptances.indexOf(this.#acceptsForMs);
    if (count < needed || this.#accepting.size === 0) return;
    const waiting = this.#accepting;
    this.#accepting = new Set();
    for (const resolve of waiting) resolve();
  }

  /** Looks, and looks again at the end that is nearest by the very same reading: none can pass between the two. */
  #watch(): void {
    this.#cancelWatch();
    const elapsedMs = this.#observe();
    if (elapsedMs === null || this.#isClosed) return;
    const ends = [this.#deps.maxStalenessMs, ...this.#acceptances].filter((endMs) => endMs >= elapsedMs);
    if (ends.length === 0) return;
    this.#cancelWatch = this.#deps.timers.after(Math.min(...ends) - elapsedMs + 1, () => this.#watch());
  }
}
