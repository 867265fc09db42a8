import { setTimeout as delay } from "node:timers/promises";
import { Pool } from "undici";
import type { Person } from "./people.ts";

export interface TrafficResult {
  readonly requests: number;
  readonly latenciesMs: readonly number[];
  readonly innocentsRefused: number;
  /** Answers by instance, as far as they say which. */
  readonly byInstance: ReadonlyMap<string, number>;
}

/**
 * Steady requests of users whom nobody deactivates, in open loop: each is due at its own time, and its latency
 * counts from then, so that a stall shows.
 */
export async function runTraffic(
  url: string,
  people: readonly Person[],
  plan: { readonly perSecond: number; readonly seconds: number },
): Promise<TrafficResult> {
  const pool = new Pool(url, { connections: 32 });
  const latenciesMs: number[] = [];
  const byInstance = new Map<string, number>();
  let innocentsRefused = 0;
  const startedAt = performance.now();
  const total = plan.perSecond * plan.seconds;

  async function request(dueAt: number, person: Person): Promise<void> {
    const answer = await pool.request({
      method: "GET",
      path: "/me",
      headers: { authorization: `Bearer ${person.token}` },
    });
    const body = await answer.body.text();
    latenciesMs.push(performance.now() - dueAt);
    if (answer.statusCode !== 200) {
      innocentsRefused += 1;
      process.stderr.write(`load: an innocent got ${answer.statusCode} ${body}\n`);
      return;
    }
    const instance = /"instance":"([^"]+)"/.exec(body)?.[1];
    if (instance) byInstance.set(instance, (byInstance.get(instance) ?? 0) + 1);
  }

  const underWay: Promise<void>[] = [];
  const failures: unknown[] = [];
  for (let i = 0; i < total; i += 1) {
    const dueAt = startedAt + (i * 1_000) / plan.perSecond;
    const waitMs = dueAt - performance.now();
    if (waitMs > 1) await delay(waitMs);
    const person = people[i % people.length];
    if (person) underWay.push(request(dueAt, person).catch((error: unknown) => void failures.push(error)));
  }
  await Promise.all(underWay);
  await pool.close();
  if (failures.length > 0) throw new AggregateError(failures, `requests failed: ${String(failures[0])}`);
  return { requests: total, latenciesMs, innocentsRefused, byInstance };
}
