import type { AuditRecord } from "../ports/audit-store.ts";
import { hashOfRecord, noHash } from "./audit-chain.ts";
import type { ChainSummary, Finding } from "./register-summary.ts";

/** A place of a chain, and what stood there. */
export type KnownRecord = Pick<AuditRecord, "chain" | "seq" | "hash">;

/** Takes the records of one chain in their order, and says at the end what was changed, inserted or taken out. */
export class ChainCheck {
  readonly chain: string;
  readonly #noted: ChainSummary | undefined;
  readonly #known: ReadonlyMap<number, string>;
  readonly #findings: Finding[] = [];
  #last: Pick<AuditRecord, "seq" | "hash"> | null = null;

  constructor(chain: string, noted: ChainSummary | undefined, known: readonly KnownRecord[]) {
    this.chain = chain;
    this.#noted = noted;
    this.#known = new Map(known.filter((one) => one.chain === chain).map(({ seq, hash }) => [seq, hash]));
    if (noted === undefined) this.#find(1, "inserted: the register knows no such chain");
  }

  add(record: AuditRecord): void {
    const { seq, hash } = record;
    if (hashOfRecord(record) !== hash) this.#find(seq, "was changed");
    else if (!this.#isNoted(record)) this.#find(seq, "was changed together with what comes before it");
    if (seq === 1 && this.#noted?.isStarted === false)
      this.#find(seq, "is there, and the entry of the register that comes before it was taken out");
    this.#checkPlace(record);
    this.#last = { seq, hash };
  }

  end(): readonly Finding[] {
    const noted = this.#noted;
    if (noted === undefined) return this.#findings;
    const lastNoted = lastOf([...noted.heads.keys(), ...this.#known.keys()]);
    const begin = Math.max(this.#last?.seq ?? 0, noted.prunedBelow - 1);
    if (lastNoted > begin) this.#find(begin + 1, `${lastNoted - begin} taken out, up to the last one noted`);
    if (noted.endedAt !== null && (this.#last?.seq ?? 0) > noted.endedAt)
      this.#find(noted.endedAt + 1, "inserted: the chain had ended");
    return this.#findings;
  }

  /** Where the chain has come to, unless it has ended: it may grow, and what it has must stay. */
  openEnd(): KnownRecord | null {
    if (this.#last === null || this.#noted?.endedAt !== null) return null;
    return { chain: this.chain, ...this.#last };
  }

  #isNoted({ seq, hash }: AuditRecord): boolean {
    return [this.#noted?.heads, this.#known].every((places) => (places?.get(seq) ?? hash) === hash);
  }

  #checkPlace({ seq, previous }: AuditRecord): void {
    const { prunedBelow = 0, prunedHash = noHash } = this.#noted ?? {};
    const firstKept = Math.max(1, prunedBelow);
    const expected = this.#last === null ? 1 : this.#last.seq + 1;
    if (seq > expected) {
      // Pruning takes the first ones first, and may have been interrupted.
      const from = Math.max(expected, firstKept);
      if (seq > from) return this.#find(from, `${seq - from} taken out`);
      if (seq === firstKept && previous !== prunedHash)
        this.#find(seq, "does not follow from what was pruned");
      return;
    }
    const before = this.#last?.hash ?? noHash;
    if (previous !== before) this.#find(seq, "does not follow from the one before it");
  }

  #find(place: number, detail: string): void {
    this.#findings.push({ chain: this.chain, place, detail });
  }
}

function lastOf(places: readonly number[]): number {
  return places.reduce((last, place) => Math.max(last, place), 0);
}
