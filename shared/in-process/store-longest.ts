import type { RegisteredInstance } from "../ports/revocation-store.ts";
import {
  covers,
  type Longest,
  type Lowering,
  longestOf,
  nothingLong,
  type VersionedLongest,
  type WantedLongest,
} from "../revocation/longest.ts";
import type { UndoLog } from "./undo-log.ts";

/** What the fence is known to hold, and what somebody wanted it to. Every method is a part of one atomic step. */
export class StoreLongest {
  readonly #undo: UndoLog;
  readonly #wanted = new Map<string, WantedLongest>();
  #confirmed = nothingLong;

  constructor(undo: UndoLog) {
    this.#undo = undo;
  }

  get confirmed(): VersionedLongest {
    return this.#confirmed;
  }

  get wanted(): readonly WantedLongest[] {
    return [...this.#wanted.values()];
  }

  want({ tokenLifetimeSeconds, maxStalenessMs }: Longest): void {
    const key = keyOf({ tokenLifetimeSeconds, maxStalenessMs });
    const times = (this.#wanted.get(key)?.times ?? 0) + 1;
    this.#undo.set(this.#wanted, key, { tokenLifetimeSeconds, maxStalenessMs, times });
  }

  /** Two of one version: the fence was to be lowered to the one and was raised to the other instead. */
  confirm(longest: VersionedLongest): void {
    const { version } = longest;
    if (version < this.#confirmed.version) return;
    const isSame = version === this.#confirmed.version;
    this.#set(isSame ? { ...longestOf([longest, this.#confirmed]), version } : longest);
  }

  lower({ from, to, wanted }: Lowering, instances: readonly RegisteredInstance[]): boolean {
    const isAsSeen = covers(from, this.#confirmed) && covers(this.#confirmed, from);
    if (!isAsSeen || this.#confirmed.version > to.version) return false;
    if (instances.some((instance) => !covers(to, instance))) return false;
    const longer = [...this.#wanted].filter(([, one]) => !covers(to, one));
    const seen = new Map(wanted.map((one) => [keyOf(one), one.times]));
    if (longer.some(([key, { times }]) => seen.get(key) !== times)) return false;
    this.#set(to);
    for (const [key] of longer) this.#undo.delete(this.#wanted, key);
    return true;
  }

  /** A repair asks the fence anew. */
  forgetConfirmed(): void {
    this.#set(nothingLong);
  }

  takeCopyOf(other: StoreLongest): void {
    for (const [key, wanted] of other.#wanted) this.#wanted.set(key, wanted);
    this.#confirmed = other.#confirmed;
  }

  clear(): void {
    this.#wanted.clear();
    this.#confirmed = nothingLong;
  }

  #set({ tokenLifetimeSeconds, maxStalenessMs, version }: VersionedLongest): void {
    const before = this.#confirmed;
    this.#undo.note(() => void (this.#confirmed = before));
    this.#confirmed = { tokenLifetimeSeconds, maxStalenessMs, version };
  }
}

const keyOf = ({ tokenLifetimeSeconds, maxStalenessMs }: Longest) =>
  `${tokenLifetimeSeconds} ${maxStalenessMs}`;
