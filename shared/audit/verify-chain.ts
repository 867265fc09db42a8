import type { AuditRecord } from "../ports/audit-store.ts";
import { hashOfRecord, noHash } from "./audit-chain.ts";
import type { ChainSummary, Finding } from "./register-summary.ts";

/** Takes the records of one chain in their order, and says at the end what was changed, inserted or taken out. */
export class ChainCheck {
  readonly chain: string;
  readonly #noted: ChainSummary | undefined;
  readonly #findings: Finding[] = [];
  #last: Pick<AuditRecord, "seq" | "hash"> | null = null;

  constructor(chain: string, noted: ChainSummary | undefined) {
    this.chain = chain;
    this.#noted = noted;
    if (noted === undefined) this.#find(1, "inserted: the register knows no such chain");
  }

  add(record: AuditRecord): void {
    const { seq, hash } = record;
    if (hashOfRecord(record) !== hash) this.#find(seq, "was changed");
    else if (!this.#isNoted(record)) this.#find(seq, "was changed together with what comes before it");
    this.#checkPlace(record);
    this.#last = { seq, hash };
  }

  end(): readonly Finding[] {
    const noted = this.#noted;
    if (noted === undefined) return this.#findings;
    const lastNoted = Math.max(0, ...noted.heads.keys());
    const begin = Math.max(this.#last?.seq ?? 0, noted.prunedBelow - 1);
    if (lastNoted > begin) this.#find(begin + 1, `${lastNoted - begin} taken out, up to the last one noted`);
    if (noted.endedAt !== null && (this.#last?.seq ?? 0) > noted.endedAt)
      this.#find(noted.endedAt + 1, "inserted: the chain had ended");
    return this.#findings;
  }

  #isNoted({ seq, hash }: AuditRecord): boolean {
    const head = this.#noted?.heads.get(seq);
    return head === undefined || head === hash;
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
