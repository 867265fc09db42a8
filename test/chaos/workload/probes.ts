import { setTimeout as delay } from "node:timers/promises";
import type { Recorder } from "../recorder.ts";
import { type ApiClient, slugOf } from "./api-client.ts";
import type { PooledToken, TokenPool } from "./token-pool.ts";

export interface ProbeDeps {
  readonly apis: readonly ApiClient[];
  readonly pool: TokenPool;
  readonly recorder: Recorder;
}

const intervalMs = 40;
/** What a suspended instance answers when it wakes up counts, so its requests wait for it. */
const timeoutMs = 15_000;
const waitingAtMost = 48;

/** Asks each instance again and again, without waiting for its answers, until `signal`; then for those under way. */
export async function runProbes({ apis, pool, recorder }: ProbeDeps, signal: AbortSignal): Promise<void> {
  await Promise.all(
    apis.map(async (api) => {
      const underWay = new Set<Promise<void>>();
      while (!signal.aborted) {
        const token = pool.pick();
        if (token !== undefined && underWay.size < waitingAtMost) {
          const asking = probe(api, token, recorder).finally(() => underWay.delete(asking));
          underWay.add(asking);
        }
        await delay(intervalMs);
      }
      await Promise.all(underWay);
    }),
  );
}

/** Each token once on each instance. */
export async function probeAll({ apis, pool, recorder }: ProbeDeps): Promise<void> {
  await Promise.all(
    apis.map(async (api) => {
      for (const token of pool.all()) await probe(api, token, recorder);
    }),
  );
}

async function probe(api: ApiClient, { jti, token }: PooledToken, recorder: Recorder): Promise<void> {
  const answer = await api.call("/me", { token, timeoutMs });
  const { sent, done, status } = answer;
  const code = slugOf(answer);
  recorder.note({
    op: "probe",
    sent,
    done,
    instance: api.name,
    token: jti,
    status,
    ...(code !== undefined && { code }),
  });
}
