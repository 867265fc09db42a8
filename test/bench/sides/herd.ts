import type { Repetition } from "../contest.ts";
import { openStore, type StorePlace } from "./store.ts";

export interface HerdParams extends StorePlace {
  /** How many load at once; none: how fast the store is when left alone. */
  readonly instances: number;
}

type Store = Awaited<ReturnType<typeof openStore>>;

const fewestProbes = 200;

export const sides = {
  /** How long the slowest one in a hundred of the workers' calls takes while so many instances load everything. */
  async herd({ instances, ...place }: HerdParams) {
    const [worker, ...loading] = await Promise.all(
      Array.from({ length: instances + 1 }, () => openStore(place)),
    );
    if (worker === undefined) throw new Error("no store");
    return async (): Promise<Repetition> => {
      const herd = { isLoading: instances > 0 };
      const loads = loadAll(loading).finally(() => {
        herd.isLoading = false;
      });
      const tookMs: number[] = [];
      while (herd.isLoading || tookMs.length < fewestProbes) {
        const startedAt = performance.now();
        await worker.readState();
        tookMs.push(performance.now() - startedAt);
      }
      const bytes = await loads;
      const slowest = tookMs.toSorted((a, b) => a - b)[Math.floor(tookMs.length * 0.99)] ?? Number.NaN;
      return { value: slowest, answers: String(new Set(bytes).size <= 1) };
    };
  },
};

async function loadAll(stores: readonly Store[]): Promise<readonly number[]> {
  return Promise.all(stores.map((store) => readAll(store)));
}

async function readAll(store: Store): Promise<number> {
  let bytes = 0;
  for await (const { tokens } of store.load()) bytes += tokens.byteLength;
  return bytes;
}
