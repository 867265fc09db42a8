import { setTimeout as delay } from "node:timers/promises";
import { Pool } from "undici";
import type { Person } from "./people.ts";

/** What was asked for users whom nobody deactivates, and what came of it. */
export class Traffic {
  readonly latenciesMs: number[] = [];
  readonly byInstance = new Map<string, number>();
  innocentsRefused = 0;
  /** How long it took until the last answer was there. */
  seconds = 0;
  readonly #pool: Pool;
  readonly #people: readonly Person[];
  #next = 0;

  constructor(url: string, people: readonly Person[], connections: number) {
    this.#pool = new Pool(url, { connections });
    this.#people = people;
  }

  get requests(): number {
    return this.latenciesMs.length;
  }

  /**
   * In open loop: each request is due at its own time, whatever became of those before it, and its latency counts from
   * then, so that a stall shows.
   */
  async runOpen(plan: { readonly perSecond: number; readonly seconds: number }): Promise<void> {
    const startedAt = performance.now();
    const underWay: Promise<void>[] = [];
    const failures: unknown[] = [];
    for (let at = 0; at < plan.perSecond * plan.seconds && failures.length === 0; at += 1) {
      const dueAt = startedAt + (at * 1_000) / plan.perSecond;
      const waitMs = dueAt - performance.now();
      if (waitMs > 1) await delay(waitMs);
      underWay.push(this.#request(dueAt).catch((error: unknown) => void failures.push(error)));
    }
    await Promise.all(underWay);
    throwFirst(failures);
    this.seconds = (performance.now() - startedAt) / 1_000;
  }

  /** In closed loop: each of so many clients asks again as soon as it has its answer. */
  async runClosed(clients: number, seconds: number): Promise<void> {
    const startedAt = performance.now();
    const endAt = startedAt + seconds * 1_000;
    const ask = async () => {
      while (performance.now() < endAt) await this.#request(performance.now());
    };
    const failures: unknown[] = [];
    const note = (error: unknown) => void failures.push(error);
    await Promise.all(Array.from({ length: clients }, () => ask().catch(note)));
    throwFirst(failures);
    this.seconds = (performance.now() - startedAt) / 1_000;
  }

  close(): Promise<void> {
    return this.#pool.close();
  }

  async #request(dueAt: number): Promise<void> {
    const person = this.#people[this.#next % this.#people.length];
    this.#next += 1;
    if (person === undefined) return;
    const { statusCode, body } = await this.#pool.request({
      method: "GET",
      path: "/me",
      headers: { authorization: `Bearer ${person.token}` },
    });
    const text = await body.text();
    this.latenciesMs.push(performance.now() - dueAt);
    if (statusCode === 200) this.#countInstance(text);
    else this.#noteRefusal(statusCode, text);
  }

  #countInstance(text: string): void {
    const instance = /"instance":"([^"]+)"/.exec(text)?.[1];
    if (instance !== undefined) this.byInstance.set(instance, (this.byInstance.get(instance) ?? 0) + 1);
  }

  #noteRefusal(statusCode: number, text: string): void {
    this.innocentsRefused += 1;
    process.stderr.write(`load: an innocent got ${statusCode} ${text}\n`);
  }
}

function throwFirst(failures: readonly unknown[]): void {
  if (failures.length > 0) throw new AggregateError(failures, `requests failed: ${String(failures[0])}`);
}
