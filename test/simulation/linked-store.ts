import { dependencyUnavailable } from "../../shared/errors.ts";
import type { InProcessStoreServer } from "../../shared/in-process/revocation-store.ts";
import type {
  RevocationStore,
  StoreListener,
  Subscription,
  SyncAnswer,
} from "../../shared/ports/revocation-store.ts";
import type { PackedAdditions } from "../../shared/revocation/packed-additions.ts";
import type { Link } from "./link.ts";
import { type OnEffect, overLink } from "./linked-port.ts";
import type { Scheduler } from "./scheduler.ts";
import type { StoreCluster } from "./store-cluster.ts";

const subscribeAgainMs = 500;

export interface LinkedStoreOptions {
  readonly link: Link;
  readonly scheduler: Scheduler;
  readonly onSync: (answer: SyncAnswer, sentAtMs: number) => void;
  readonly onEffect: OnEffect;
}

/** The store as one process reaches it: the server that it follows when its call arrives. */
export function connectStore(cluster: StoreCluster, options: LinkedStoreOptions): RevocationStore {
  const { link, scheduler, onSync, onEffect } = options;
  const handles = new Map<InProcessStoreServer, RevocationStore>();
  const handleAt = (server: InProcessStoreServer) => {
    const handle = handles.get(server) ?? server.connect();
    handles.set(server, handle);
    return handle;
  };
  const { name } = link.process;
  const present = () => handleAt(cluster.serverOf(name));
  const linked = overLink<RevocationStore>(routed(cluster, name, present), link, {
    onEffect: (method, args, result) => {
      cluster.noteEffect(method);
      return onEffect(method, args, result);
    },
    own: {
      load: () => loadOver(link, present),
      subscribe: (listener) => subscribeOver(cluster, { ...options, present }, listener),
      close: () => Promise.resolve(),
    },
  });
  const sync: RevocationStore["sync"] = async (report) => {
    const sentAtMs = scheduler.nowMs;
    const answer = await linked.sync(report);
    onSync(answer, sentAtMs);
    return answer;
  };
  return new Proxy(linked, {
    get: (port, method) => (method === "sync" ? sync : Reflect.get(port, method)),
  });
}

/** Each call goes to the server that the process follows when it arrives. */
function routed(cluster: StoreCluster, process: string, present: () => RevocationStore): RevocationStore {
  return new Proxy(present(), {
    get: (first, method) => {
      if (typeof Reflect.get(first, method) !== "function") return undefined;
      return (...args: unknown[]) => {
        if (cluster.refuses(process, String(method))) {
          return Promise.reject(dependencyUnavailable("redis", new Error("NOREPLICAS")));
        }
        const handle = present();
        const call: unknown = Reflect.get(handle, method);
        return typeof call === "function" ? Reflect.apply(call, handle, args) : undefined;
      };
    },
  });
}

async function subscribeOver(
  cluster: StoreCluster,
  {
    link,
    scheduler,
    present,
  }: Pick<LinkedStoreOptions, "link" | "scheduler"> & { readonly present: () => RevocationStore },
  listener: StoreListener,
): Promise<Subscription> {
  const { life } = link.process;
  const push = (run: () => void) => {
    const times = cluster.timesDelivered();
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
      scheduler.after(subscribeAgainMs, move);
    }
  };
  const move = () => {
    void subscription.close();
    void subscribeAgain();
  };
  const stopMoving = cluster.onMove(move);
  return {
    close: async () => {
      stopMoving();
      await subscription.close();
    },
  };
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
