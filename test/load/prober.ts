import type { Asker } from "./refusal.ts";

/** Of one instance behind an entry: so many that a balancer leaves none out. */
const asksForEach = 3;

export interface ProberDeps {
  readonly asker: Asker;
  readonly entryUrl: string;
  readonly instanceUrls: readonly string[];
  /** How many there are: behind an entry nobody can choose the one that he asks. */
  readonly instances: number;
}

export type Prober = ReturnType<typeof createProber>;

/** Once its receipt says enforced, no instance may accept a token any more. */
export function createProber({ asker, entryUrl, instanceUrls, instances }: ProberDeps) {
  const urls = instanceUrls.length > 0 ? instanceUrls : [entryUrl];
  const asks = instanceUrls.length > 0 ? 1 : asksForEach * instances;
  const probes = new Map(urls.map((url) => [url, 0]));
  let acceptedAfterEnforced = 0;

  async function probeOne(url: string, token: string): Promise<void> {
    const statuses = await Promise.all(Array.from({ length: asks }, () => asker.statusOf(url, token)));
    acceptedAfterEnforced += statuses.filter((status) => status === 200).length;
    // However many it took to reach every instance: each was asked once.
    probes.set(url, (probes.get(url) ?? 0) + 1);
  }

  return {
    /** How many answers of an address stand for all that are behind it. */
    asks,
    async probe(token: string): Promise<void> {
      await Promise.all(urls.map((url) => probeOne(url, token)));
    },
    result: () => ({ probes, acceptedAfterEnforced }),
  };
}
