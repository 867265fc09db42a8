import type { Cancel } from "../../shared/ports/platform.ts";

/**
 * Owns time and order. One step is: take the earliest due step, move time there, run it, let everything run that it
 * made ready. Nothing else moves: there are no real timers, sockets or files below.
 */
export class Scheduler {
  readonly #heap: Step[] = [];
  #nowMs = 0;
  #order = 0;
  #steps = 0;
  readonly #observers: (() => void)[] = [];

  /** Milliseconds since the start, by the clock that nobody in the simulation can read. */
  get nowMs(): number {
    return this.#nowMs;
  }

  get steps(): number {
    return this.#steps;
  }

  /** Steps that are due at the same time run in the order in which they were asked for. */
  at(dueMs: number, run: () => void): Cancel {
    this.#order += 1;
    const step: Step = { dueMs: Math.max(dueMs, this.#nowMs), order: this.#order, run, isCancelled: false };
    push(this.#heap, step);
    return () => {
      step.isCancelled = true;
    };
  }

  after(delayMs: number, run: () => void): Cancel {
    return this.at(this.#nowMs + delayMs, run);
  }

  /** `look` is called after each step, when everything has run that the step made ready. */
  afterEach(look: () => void): void {
    this.#observers.push(look);
  }

  async runUntil(untilMs: number): Promise<void> {
    for (let next = this.#heap[0]; next !== undefined && next.dueMs <= untilMs; next = this.#heap[0]) {
      pop(this.#heap);
      if (next.isCancelled) continue;
      this.#nowMs = next.dueMs;
      this.#steps += 1;
      next.run();
      await settled();
      for (const look of this.#observers) look();
    }
    this.#nowMs = untilMs;
  }
}

interface Step {
  readonly dueMs: number;
  readonly order: number;
  readonly run: () => void;
  isCancelled: boolean;
}

/** Every promise and `process.nextTick` callback that is ready has run when the next turn of the loop comes. */
function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

function isBefore(a: Step, b: Step): boolean {
  return a.dueMs < b.dueMs || (a.dueMs === b.dueMs && a.order < b.order);
}

function push(heap: Step[], step: Step): void {
  let at = heap.length;
  heap.push(step);
  while (at > 0) {
    const parentAt = (at - 1) >> 1;
    const parent = heap[parentAt];
    if (parent === undefined || !isBefore(step, parent)) break;
    heap[at] = parent;
    at = parentAt;
  }
  heap[at] = step;
}

function pop(heap: Step[]): void {
  const last = heap.pop();
  if (last === undefined || heap.length === 0) return;
  let at = 0;
  for (;;) {
    const left = heap[2 * at + 1];
    const right = heap[2 * at + 2];
    const isRight = left !== undefined && right !== undefined && isBefore(right, left);
    const child = isRight ? right : left;
    if (child === undefined || !isBefore(child, last)) break;
    heap[at] = child;
    at = 2 * at + (isRight ? 2 : 1);
  }
  heap[at] = last;
}
