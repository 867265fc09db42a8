import { type CountedUser, countRecentUsers } from "../holds/recent-users.ts";
import type { Clock } from "../ports/platform.ts";
import type { Removal, UserCount } from "../ports/safeguards.ts";

/** Every public method is one atomic step. */
export class InProcessSafeguards {
  readonly #counts = new Map<string, { readonly users: readonly CountedUser[]; readonly atMs: number }>();
  readonly #clock: Pick<Clock, "wallMs">;
  #removal: Removal | null = null;

  constructor(clock: Pick<Clock, "wallMs">) {
    this.#clock = clock;
  }

  countUsers({ source, users, most }: UserCount): readonly boolean[] {
    const nowMs = this.#clock.wallMs();
    const before = this.#counts.get(source)?.users ?? [];
    const { counted, areWithin } = countRecentUsers(before, { users, most, nowMs });
    this.#counts.set(source, { users: counted, atMs: nowMs });
    return areWithin;
  }

  purgeCounts(idleSinceMs: number, limit: number): number {
    const idle = [...this.#counts].filter(([, { atMs }]) => atMs < idleSinceMs).slice(0, limit);
    for (const [source] of idle) this.#counts.delete(source);
    return idle.length;
  }

  readRemoval(): Removal | null {
    return this.#removal;
  }

  beginRemoval(removal: Removal, from: Removal | null): boolean {
    if (this.#removal?.claim !== from?.claim) return false;
    this.#removal = removal;
    return true;
  }

  endRemoval(claim: string): void {
    if (this.#removal?.claim === claim) this.#removal = null;
  }
}
