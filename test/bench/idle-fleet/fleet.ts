import { createBlacklist } from "../../../api/blacklist/blacklist.ts";
import { startBlacklistFeed } from "../../../api/blacklist/blacklist-feed.ts";
import { silentLog } from "../../../shared/log.ts";
import { createPlatform } from "../../../shared/platform.ts";
import { createFingerprinter } from "../../../shared/revocation/fingerprint.ts";
import { openRedis, openStore, type StorePlace } from "../sides/store.ts";

export interface Fleet {
  close(): Promise<void>;
}

/** Of one instance, a second; `bytes` are what the server sent. */
export interface Cost {
  readonly calls: number;
  readonly bytes: number;
}

const everyMs = 1_000;
const issuer = "https://quash.example";

/** Instances that follow the store and serve nobody. */
export async function openProduct(place: StorePlace, instances: number): Promise<Fleet> {
  const open = async (_: unknown, number: number) => {
    const platform = createPlatform();
    const store = await openStore(place);
    const fingerprint = createFingerprinter(issuer);
    const feed = await startBlacklistFeed({
      ...platform,
      store,
      blacklist: createBlacklist({ ...platform, fingerprint, ownIssuer: issuer }),
      instanceId: `instance-${number}`,
      log: silentLog,
      syncIntervalMs: everyMs,
      syncDeadlineMs: 2_500,
      maxStalenessMs: 5_000,
      tokenLifetimeSeconds: 900,
      policy: "strict",
    });
    await feed.whenAccepting();
    return {
      async close() {
        await feed.close();
        await store.close();
      },
    };
  };
  return fleetOf(await Promise.all(Array.from({ length: instances }, open)));
}

/** The least that tells others that one is there. */
export async function openRegistrations(
  { redisUrl, namespace }: StorePlace,
  instances: number,
): Promise<Fleet> {
  const open = async (_: unknown, number: number) => {
    const redis = openRedis(redisUrl);
    const register = () => redis.set(`${namespace}:instance-${number}`, "here", "EX", 5);
    await register();
    const timer = setInterval(() => void register(), everyMs);
    return {
      async close() {
        clearInterval(timer);
        await redis.quit();
      },
    };
  };
  return fleetOf(await Promise.all(Array.from({ length: instances }, open)));
}

function fleetOf(members: readonly Fleet[]): Fleet {
  return {
    async close() {
      for (const member of members) await member.close();
    },
  };
}

/** By the server's own counters: whatever else asks it is counted too. What the readings take is left out. */
export async function costOf(
  redisUrl: string,
  { instances, forMs }: { readonly instances: number; readonly forMs: number },
): Promise<Cost> {
  const redis = openRedis(redisUrl);
  try {
    const first = await countersIn(redis);
    const before = await countersIn(redis);
    await createPlatform().timers.sleep(forMs);
    const after = await countersIn(redis);
    const each = (of: keyof Cost) =>
      ((after[of] - before[of] - (before[of] - first[of])) * 1_000) / forMs / instances;
    return { calls: each("calls"), bytes: each("bytes") };
  } finally {
    redis.disconnect();
  }
}

async function countersIn(redis: ReturnType<typeof openRedis>): Promise<Cost> {
  const text = await redis.info("stats");
  const counter = (name: string) => Number(new RegExp(`^${name}:(\\d+)`, "m").exec(text)?.[1]);
  return { calls: counter("total_commands_processed"), bytes: counter("total_net_output_bytes") };
}
