import type { BeginningCall, CallBegun, KeptAnswer } from "../ports/idempotency-store.ts";

interface Call extends Omit<BeginningCall, "nowMs" | "abandonedAtMs"> {
  readonly operation: string;
  readonly beganAtMs: number;
  readonly answer: KeptAnswer | null;
}

/** Those that expire first are forgotten for more. */
const callsKept = 10_000;

/** Every public method is one atomic step. */
export class InProcessIdempotency {
  /** In the order in which they were begun, and so about that in which they expire. */
  readonly #calls = new Map<string, Call>();

  begin({ nowMs, abandonedAtMs, ...call }: BeginningCall): CallBegun {
    const found = this.#calls.get(call.id);
    if (found === undefined || found.expiresAtMs <= nowMs) {
      this.#put({ ...call, operation: call.holder, beganAtMs: nowMs, answer: null });
      this.#forget(nowMs);
      return { state: "begun", operation: call.holder, isRepeat: false };
    }
    if (found.fingerprint !== call.fingerprint) return { state: "other-call" };
    if (found.answer !== null) return { state: "answered", answer: found.answer };
    if (found.beganAtMs > abandonedAtMs) return { state: "under-way" };
    this.#put({ ...call, operation: found.operation, beganAtMs: nowMs, answer: null });
    return { state: "begun", operation: found.operation, isRepeat: true };
  }

  finish(id: string, holder: string, answer: KeptAnswer): boolean {
    const call = this.#calls.get(id);
    if (call?.holder !== holder || call.answer !== null) return false;
    this.#calls.set(id, { ...call, answer });
    return true;
  }

  release(id: string, holder: string): void {
    const call = this.#calls.get(id);
    if (call?.holder === holder && call.answer === null) this.#calls.delete(id);
  }

  purge(expiredBeforeMs: number, limit: number): number {
    let gone = 0;
    for (const { id, expiresAtMs } of this.#calls.values()) {
      if (gone >= limit) break;
      if (expiresAtMs >= expiredBeforeMs) continue;
      this.#calls.delete(id);
      gone += 1;
    }
    return gone;
  }

  #put(call: Call): void {
    this.#calls.delete(call.id);
    this.#calls.set(call.id, call);
  }

  #forget(nowMs: number): void {
    for (const [id, { expiresAtMs }] of this.#calls) {
      if (expiresAtMs > nowMs && this.#calls.size <= callsKept) return;
      this.#calls.delete(id);
    }
  }
}
