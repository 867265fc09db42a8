import { dependencyUnavailable } from "../../shared/errors.ts";
import {
  createInProcessStoreServer,
  type InProcessStoreServer,
} from "../../shared/in-process/revocation-store.ts";
import type { Clock, Timers } from "../../shared/ports/platform.ts";
import type {
  RevocationStore,
  StoreListener,
  Subscription,
  SyncAnswer,
} from "../../shared/ports/revocation-store.ts";
import type { PackedAdditions } from "../../shared/revocation/packed-additions.ts";
import type { Random } from "../support/random.ts";
import type { Link } from "./link.ts";
import { overLink } from "./linked-port.ts";
import type { Scheduler } from "./scheduler.ts";

const subscribeAgainMs = 500;

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

  constructor({ clock, timers, scheduler, random }: StoreClusterDeps) {
    this.primary = createInProcessStoreServer({ clock, timers, undoDepth: 400 });
    this.#scheduler = scheduler;
    this.#random = random;
  }

  /** Those named go on with the old primary, which takes writes for a while, until `heal`. */
  split(followers: readonly string[], { loseLast, lagMs }: { loseLast: number; lagMs: number }): void {
    if (this.#cutOff !== null) return;
    this.#cutOff = {
      server: this.primary.split({ loseLast }),
      followers: new Set(followers),
      takesWritesUntilMs: this.#scheduler.nowMs + lagMs,
    };
    for (const move of this.#moves) move();
  }

  heal(): void {
    if (this.#cutOff === null) return;
    this.#cutOff = null;
    for (const move of this.#moves) move();
  }

  connect(link: Link, onSync: (answer: SyncAnswer, sentAtMs: number) => void): RevocationStore {
    const handles = new Map<InProcessStoreServer, RevocationStore>();
    const handleAt = (server: InProcessStoreServer) => {
      const handle = handles.get(server) ?? server.connect();
      handles.set(server, handle);
      return handle;
    };
    const { name } = link.process;
    const present = () => handleAt(this.#serverOf(name));
    const linked = overLink<RevocationStore>(this.#routed(name, present), link, {
      own: {
        load: () => loadOver(link, () => present()),
        subscribe: (listener) => this.#subscribe(link, present, listener),
        close: () => Promise.resolve(),
      },
    });
    const sync: RevocationStore["sync"] = async (report) => {
      const sentAtMs = this.#scheduler.nowMs;
      const answer = await linked.sync(report);
      onSync(answer, sentAtMs);
      return answer;
    };
    return new Proxy(linked, {
      get: (port, method) => (method === "sync" ? sync : Reflect.get(port, method)),
    });
  }

  #serverOf(process: string): InProcessStoreServer {
    return this.#cutOff?.followers.has(process) ? this.#cutOff.server : this.primary;
  }

  /** Each call goes to the server that the process follows when it arrives. */
  #routed(process: string, present: () => RevocationStore): RevocationStore {
    return new Proxy(present(), {
      get: (first, method) => {
        if (typeof Reflect.get(first, method) !== "function") return undefined;
        return (...args: unknown[]) => {
          if (this.#refuses(process, String(method))) {
            return Promise.reject(dependencyUnavailable("redis", new Error("NOREPLICAS")));
          }
          const handle = present();
          const call: unknown = Reflect.get(handle, method);
          return typeof call === "function" ? Reflect.apply(call, handle, args) : undefined;
        };
      },
    });
  }

  #refuses(process: string, method: string): boolean {
    const cutOff = this.#cutOff;
    if (cutOff === null || !cutOff.followers.has(process)) return false;
    return writes.has(method) && this.#scheduler.nowMs > cutOff.takesWritesUntilMs;
  }

  async #subscribe(
    link: Link,
    present: () => RevocationStore,
    listener: StoreListener,
  ): Promise<Subscription> {
    const { process } = link;
    const { life } = process;
    const push = (run: () => void) => {
      const times = this.#timesDelivered();
      for (let time = 0; time < times; time += 1) link.push(life, run);
    };
    const heard: StoreListener = {
      onAnnouncement: (announcement) => push(() => listener.onAnnouncement?.(announcement)),
      onReport: (id) => push(() => listener.onReport?.(id)),
      onApplied: (ids) => push(() => listener.onApplied?.(ids)),
      onGap: () => link.push(life, () => listener.onGap?.()),
    };
    let subscription = await link.call(() => present().subscribe(heard));
    const subscribeAgain = async () => {
      try {
        subscription = await present().subscribe(heard);
        heard.onGap?.();
      } catch {
        // The client library goes on trying.
        this.#scheduler.after(subscribeAgainMs, move);
      }
    };
    const move = () => {
      void subscription.close();
      void subscribeAgain();
    };
    this.#moves.add(move);
    return {
      close: async () => {
        this.#moves.delete(move);
        await subscription.close();
      },
    };
  }

  #timesDelivered(): number {
    if (this.#random.chance(this.delivery.lostAlways + this.delivery.lost)) return 0;
    return this.#random.chance(this.delivery.doubled) ? 2 : 1;
  }
}

/** Each chunk is a call of its own, so that additions and faults come between them. */
async function* loadOver(link: Link, present: () => RevocationStore): AsyncGenerator<PackedAdditions> {
  const chunks = present().load()[Symbol.asyncIterator]();
  for (;;) {
    const next = await link.call(() => chunks.next());
    if (next.done) return;
    yield next.value;
  }
}
