import {
  type Addition,
  type CutOff,
  clockErrorAllowedMs,
  type TokenRevocation,
} from "../../shared/revocation/addition.ts";
import type { Fingerprint } from "../../shared/revocation/fingerprint.ts";
import { type PackedAdditions, unpackAdditions } from "../../shared/revocation/packed-additions.ts";
import { bucketDiesAtMs, tokenBucketOf, tokenBucketSeconds } from "../../shared/revocation/retention.ts";
import type { Implied } from "./ledger-contents.ts";

interface WantedCutOff {
  /** The strictest and longest-lived of all rows that cut the subject off. */
  readonly wanted: CutOff;
  readonly eventId: string;
  epochFound: number;
  notBeforeFound: number;
}

/** What the ledger wants to be in the store, until it is struck off for having been seen there. */
export class WantedRecords {
  readonly #tokens = new Map<Fingerprint, Implied>();
  readonly #unrecorded = new Map<Fingerprint, Implied>();
  readonly #cutOffs = new Map<Fingerprint, WantedCutOff>();

  get size(): number {
    return this.#tokens.size + this.#unrecorded.size + this.#cutOffs.size;
  }

  add(implied: Implied): void {
    const { addition } = implied;
    if (addition.kind === "token") this.#tokens.set(addition.token, implied);
    else if (addition.kind === "unrecorded-token") this.#unrecorded.set(addition.token, implied);
    else this.#addCutOff(implied.eventId, addition);
  }

  /**
   * How long an entry lives there counts for nothing: that differs rightfully by any time. One that dies too early is
   * missing from then on, and put back then.
   */
  strikeOff(seen: PackedAdditions): void {
    for (const record of unpackAdditions(seen)) {
      if (record.kind === "token") this.#strikeToken(record.token, record.exp);
      else if (record.kind === "unrecorded-token") this.#unrecorded.delete(record.token);
      else this.#strikeCutOff(record);
    }
  }

  /** Those of them that may live by anybody's clock, but for tokens that the store has dropped in its own time. */
  left({ nowMs, storeTimeMs }: { readonly nowMs: number; readonly storeTimeMs: number }): Implied[] {
    const cutOffs = [...this.#cutOffs.values()].map(({ eventId, wanted }) => ({ eventId, addition: wanted }));
    const all: Implied[] = [...this.#tokens.values(), ...this.#unrecorded.values(), ...cutOffs];
    return all
      .filter(({ addition }) => endOf(addition) * 1_000 > nowMs - clockErrorAllowedMs)
      .filter(({ addition }) => addition.kind !== "token" || diesAtMs(addition) > storeTimeMs);
  }

  #addCutOff(eventId: string, cutOff: CutOff): void {
    const before = this.#cutOffs.get(cutOff.subject);
    if (before === undefined) {
      this.#cutOffs.set(cutOff.subject, { wanted: cutOff, eventId, epochFound: 0, notBeforeFound: 0 });
      return;
    }
    const { wanted } = before;
    this.#cutOffs.set(cutOff.subject, {
      wanted: {
        ...wanted,
        epoch: Math.max(wanted.epoch, cutOff.epoch),
        notBefore: Math.max(wanted.notBefore, cutOff.notBefore),
        until: Math.max(wanted.until, cutOff.until),
      },
      eventId: cutOff.epoch > wanted.epoch ? eventId : before.eventId,
      epochFound: 0,
      notBeforeFound: 0,
    });
  }

  #strikeToken(token: Fingerprint, exp: number): void {
    const wanted = this.#tokens.get(token)?.addition;
    if (wanted?.kind === "token" && tokenBucketOf(wanted.exp) === tokenBucketOf(exp))
      this.#tokens.delete(token);
  }

  #strikeCutOff({ subject, epoch, notBefore }: CutOff): void {
    const there = this.#cutOffs.get(subject);
    if (there === undefined) return;
    there.epochFound = Math.max(there.epochFound, epoch);
    there.notBeforeFound = Math.max(there.notBeforeFound, notBefore);
    const isFound = there.epochFound >= there.wanted.epoch && there.notBeforeFound >= there.wanted.notBefore;
    if (isFound) this.#cutOffs.delete(subject);
  }
}

const diesAtMs = ({ exp }: TokenRevocation) => bucketDiesAtMs(tokenBucketOf(exp), tokenBucketSeconds);

const endOf = (addition: Addition) => (addition.kind === "token" ? addition.exp : addition.until);
