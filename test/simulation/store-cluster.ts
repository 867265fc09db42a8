import {
  createInProcessStoreServer,
  type InProcessStoreServer,
} from "../../shared/in-process/revocation-store.ts";
import type { Cancel, Clock, Timers } from "../../shared/ports/platform.ts";
import type { Random } from "../support/random.ts";
import type { Scheduler } from "./scheduler.ts";

/** What a primary without replicas refuses, once it has noticed. */
const writes = new Set<string>([
  "add",
  "sync",
  "signOff",
  "readInstances",
  "removeInstances",
  "wantLongest",
  "confirmLongest",
  "lowerLongest",
  "beginRepair",
  "repair",
  "discard",
  "completeRepair",
  "trimFeed",
  "purgeExpired",
]);

/** What may change the revocations that it holds. */
const changes = new Set<string>(["add", "repair", "discard", "purgeExpired"]);

interface CutOff {
  readonly server: InProcessStoreServer;
  /** Processes that have not heard of the fail-over. */
  readonly followers: Set<string>;
  readonly takesWritesUntilMs: number;
}

export interface StoreClusterDeps {
  readonly clock: Clock;
  readonly timers: Timers;
  readonly scheduler: Scheduler;
  readonly random: Random;
}

/** How announcements fare on their way to one process. */
export interface Delivery {
  /** All the time; `lost` comes on top. */
  lostAlways: number;
  lost: number;
  doubled: number;
}

/** A primary, and at times the one before it, which was cut off and is still followed by some. */
export class StoreCluster {
  readonly primary: InProcessStoreServer;
  readonly delivery: Delivery = { lostAlways: 0, lost: 0, doubled: 0 };
  readonly #scheduler: Scheduler;
  readonly #random: Random;
  readonly #moves = new Set<() => void>();
  #cutOff: CutOff | null = null;
  #losses = 0;
  #changes = 0;

  constructor({ clock, timers, scheduler, random }: StoreClusterDeps) {
    this.primary = createInProcessStoreServer({ clock, timers, undoDepth: 400 });
    this.#scheduler = scheduler;
    this.#random = random;
  }

  /** How often the primary may have lost something that it held. */
  get losses(): number {
    return this.#losses;
  }

  /** How often what it holds may have changed. */
  get changes(): number {
    return this.#changes;
  }

  noteEffect(method: string): void {
    if (changes.has(method)) this.#changes += 1;
  }

  wipe(): void {
    this.#losses += 1;
    this.primary.wipe();
  }

  restart(): void {
    this.primary.restart();
  }

  failOver(loseLast: number): void {
    this.#losses += 1;
    this.primary.failOver({ loseLast });
  }

  /** Those named go on with the old primary, which takes writes for a while, until `heal`. */
  split(followers: readonly string[], { loseLast, lagMs }: { loseLast: number; lagMs: number }): void {
    if (this.#cutOff !== null) return;
    this.#losses += 1;
    this.#cutOff = {
      server: this.primary.split({ loseLast }),
      followers: new Set(followers),
      takesWritesUntilMs: this.#scheduler.nowMs + lagMs,
    };
    for (const move of this.#moves) move();
  }

  get isSplit(): boolean {
    return this.#cutOff !== null;
  }

  heal(): void {
    if (this.#cutOff === null) return;
    this.#cutOff = null;
    for (const move of this.#moves) move();
  }

  /** The one that the process follows. */
  serverOf(process: string): InProcessStoreServer {
    return this.#cutOff?.followers.has(process) ? this.#cutOff.server : this.primary;
  }

  refuses(process: string, method: string): boolean {
    const cutOff = this.#cutOff;
    if (cutOff === null || !cutOff.followers.has(process)) return false;
    return writes.has(method) && this.#scheduler.nowMs > cutOff.takesWritesUntilMs;
  }

  /** How often one announcement reaches one process. */
  timesDelivered(): number {
    if (this.#random.chance(this.delivery.lostAlways + this.delivery.lost)) return 0;
    return this.#random.chance(this.delivery.doubled) ? 2 : 1;
  }

  /** `move` is called when some have to connect to another server. */
  onMove(move: () => void): Cancel {
    this.#moves.add(move);
    return () => void this.#moves.delete(move);
  }
}
