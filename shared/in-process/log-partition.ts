import { dependencyUnavailable } from "../errors.ts";
import type { Log } from "../log.ts";
import type {
  ConsumerOptions,
  EventRecord,
  HeaderValue,
  LoggedRecord,
  PartitionLag,
  RecordBatch,
} from "../ports/event-log.ts";
import type { Timers } from "../ports/platform.ts";

export interface PartitionDeps {
  readonly timers: Timers;
  readonly log: Log;
  readonly isAvailable: () => boolean;
  /** Whether the group has committed anything anywhere. */
  readonly isGroupKnown: () => boolean;
}

/** One batch on its way through its owner's hands. */
interface Delivery {
  readonly to: ConsumerOptions;
  readonly done: Promise<void>;
}

const firstDelayMs = 100;
const longestDelayMs = 1000;
const batchSize = 500;

/**
 * One partition of the in-process log, with what the group has committed of it. Idle, or delivering: it starts to
 * deliver when it has an owner and something is not committed, and starts anew after each batch. A gap that retention
 * left comes before the records behind it. A batch whose partition was assigned to another owner is stale; the new
 * owner gets his first one when the stale one has ended.
 */
export class LogPartition {
  #records: LoggedRecord[] = [];
  readonly #topic: string;
  readonly #index: number;
  readonly #deps: PartitionDeps;
  /** Offsets: of the earliest record that is left, and of the next one to come. */
  #low = 0;
  #end = 0;
  #committed: number | null = null;
  #owner: ConsumerOptions | null = null;
  #delivery: Delivery | null = null;
  #delayMs = firstDelayMs;
  #waiting = new AbortController();

  constructor(topic: string, index: number, deps: PartitionDeps) {
    this.#topic = topic;
    this.#index = index;
    this.#deps = deps;
  }

  get records(): readonly LoggedRecord[] {
    return this.#records;
  }

  get lag(): number {
    return this.#end - this.#from;
  }

  get hasCommit(): boolean {
    return this.#committed !== null;
  }

  get #hasGap(): boolean {
    return (this.#committed ?? 0) < this.#low || this.#isBehindTheEnd;
  }

  /** Committed in a log that is gone. */
  get #isBehindTheEnd(): boolean {
    return (this.#committed ?? 0) > this.#end;
  }

  /** Where the group goes on. */
  get #from(): number {
    return this.#isBehindTheEnd ? this.#low : Math.max(this.#committed ?? 0, this.#low);
  }

  /** What retention does: the records that were appended before are gone, whoever has read them. */
  deleteBefore(appendedAtMs: number): void {
    const kept = this.#records.findIndex((record) => record.appendedAtMs >= appendedAtMs);
    const gone = kept === -1 ? this.#records.length : kept;
    this.#records = this.#records.slice(gone);
    this.#low += gone;
    this.pump();
  }

  /** The last record is gone; what the group has committed stays. */
  loseTheEnd(): void {
    this.#records = this.#records.slice(0, -1);
    this.#end = this.#low + this.#records.length;
    this.pump();
  }

  get lagOfGroup(): PartitionLag {
    return { topic: this.#topic, partition: this.#index, records: this.lag };
  }

  append({ key, value, headers }: EventRecord, appendedAtMs: number): void {
    this.#records.push({
      key: key === null ? null : bytesOf(key),
      value: value === null ? null : bytesOf(value),
      headers: Object.fromEntries(Object.entries(headers).map(([name, sent]) => [name, headerOf(sent)])),
      topic: this.#topic,
      partition: this.#index,
      offset: String(this.#end),
      appendedAtMs,
    });
    this.#end += 1;
  }

  assign(owner: ConsumerOptions | null): void {
    if (owner !== this.#owner) this.#waiting.abort();
    this.#owner = owner;
    this.pump();
  }

  /** Resolves when `owner` has nothing of this partition in hand. */
  async settled(owner: ConsumerOptions): Promise<void> {
    if (this.#delivery?.to === owner) await this.#delivery.done;
  }

  /** Forgets the batch that a dead owner has in hand. */
  abandon(owner: ConsumerOptions): void {
    if (this.#delivery?.to === owner) this.#delivery = null;
    this.pump();
  }

  pump(): void {
    if (this.#delivery !== null || this.#owner === null) return;
    if ((this.lag === 0 && !this.#hasGap) || !this.#deps.isAvailable()) return;
    const to = this.#owner;
    // One turn later, so that a publisher's call is over before its event is handled.
    const done = Promise.resolve().then(() => this.#deliver(delivery));
    const delivery: Delivery = { to, done };
    this.#delivery = delivery;
  }

  async #deliver(delivery: Delivery): Promise<void> {
    const isStale = () => this.#delivery !== delivery || this.#owner !== delivery.to;
    const before = this.#from;
    let isOver = true;
    try {
      if (!isStale()) isOver = await this.#deliverNext(delivery.to, isStale);
    } catch (error) {
      isOver = false;
      if (!isStale()) this.#deps.log.warn("event-log.batch.failed", { partition: this.#index, err: error });
    }
    if (this.#from > before) this.#delayMs = firstDelayMs;
    if (!isOver && !isStale()) await this.#waitBeforeRepeat();
    if (this.#delivery !== delivery) return;
    this.#delivery = null;
    this.pump();
  }

  /** False when not all of it was committed. */
  #deliverNext(to: ConsumerOptions, isStale: () => boolean): Promise<boolean> {
    return this.#hasGap ? this.#tellOfGap(to, isStale) : this.#handOver(to, isStale);
  }

  async #handOver(to: ConsumerOptions, isStale: () => boolean): Promise<boolean> {
    const from = this.#from;
    const records = this.#records.slice(from - this.#low, from - this.#low + batchSize);
    await to.handleBatch(this.#batch(records, isStale));
    return (this.#committed ?? 0) >= from + records.length;
  }

  async #tellOfGap(to: ConsumerOptions, isStale: () => boolean): Promise<boolean> {
    const from = this.#deps.isGroupKnown() ? String(this.#committed ?? 0) : null;
    const low = this.#low;
    await to.handleLost({ gaps: [{ partition: this.#index, from, to: String(low) }], isStale });
    if (isStale()) return false;
    this.#requireAvailable();
    this.#committed = low;
    return true;
  }

  #requireAvailable(): void {
    if (!this.#deps.isAvailable()) throw dependencyUnavailable("kafka", new Error("switched off"));
  }

  #commitUpTo(offset: number): void {
    this.#requireAvailable();
    this.#committed = Math.max(this.#committed ?? 0, offset);
  }

  async #waitBeforeRepeat(): Promise<void> {
    const delayMs = this.#delayMs;
    this.#delayMs = Math.min(delayMs * 2, longestDelayMs);
    this.#waiting = new AbortController();
    await this.#deps.timers.sleep(delayMs, this.#waiting.signal);
  }

  #batch(records: readonly LoggedRecord[], isStale: () => boolean): RecordBatch {
    const requireOwned = () => {
      if (isStale()) throw dependencyUnavailable("kafka", new Error("the partition was taken away"));
    };
    return {
      partition: this.#index,
      records,
      isStale,
      heartbeat: async () => requireOwned(),
      commit: async (record) => {
        requireOwned();
        this.#commitUpTo(Number(record.offset) + 1);
      },
    };
  }
}

function headerOf(sent: HeaderValue): Uint8Array | readonly Uint8Array[] {
  return typeof sent === "string" || sent instanceof Uint8Array ? bytesOf(sent) : sent.map(bytesOf);
}

/** A copy: what the publisher does with his bytes afterwards changes nothing here. */
function bytesOf(sent: string | Uint8Array): Uint8Array {
  return typeof sent === "string" ? new TextEncoder().encode(sent) : Uint8Array.from(sent);
}
