import type { Clock } from "../ports/platform.ts";
import {
  type Announcement,
  type FeedEntry,
  type InstanceReport,
  type InstancesView,
  type Longest,
  type RepairEnd,
  type RepairStart,
  repairLockMs,
  type SeenInstance,
  type StoreState,
  type SyncAnswer,
  type Written,
} from "../ports/revocation-store.ts";
import type { Addition } from "../revocation/addition.ts";
import { packAdditions } from "../revocation/packed-additions.ts";
import { createPosition, origin, type Position } from "../revocation/position.ts";
import { StoreBuckets } from "./store-buckets.ts";
import { StoreInstances } from "./store-instances.ts";
import { UndoLog } from "./undo-log.ts";

interface Header {
  readonly incarnation: string | null;
  readonly replicationId: string | null;
  readonly sinceMs: number;
  readonly isFirst: boolean;
  readonly wholeSinceMs: number | null;
  readonly head: Position;
  readonly longest: Longest;
  readonly lock: { readonly holder: string; readonly replicationId: string; readonly atMs: number } | null;
}

const emptyHeader: Header = {
  incarnation: null,
  replicationId: null,
  sinceMs: 0,
  isFirst: false,
  wholeSinceMs: null,
  head: origin,
  longest: { tokenLifetimeSeconds: 0, maxStalenessMs: 0 },
  lock: null,
};

const entriesPerSync = 500;

/** What the server holds. Every method is one atomic step. Null stands for "the store is invalid". */
export class StoreContents {
  readonly #clock: Clock;
  readonly #undo: UndoLog;
  readonly #buckets: StoreBuckets;
  readonly #instances: StoreInstances;
  readonly #damaged = new Set<string>();
  #header = emptyHeader;
  #feed: FeedEntry[] = [];
  #replicationId = 1;

  constructor(deps: { clock: Clock; undoDepth: number }) {
    this.#clock = deps.clock;
    this.#undo = new UndoLog(deps.undoDepth);
    this.#buckets = new StoreBuckets(this.#undo);
    this.#instances = new StoreInstances(this.#undo);
  }

  get incarnation(): string | null {
    return this.#header.replicationId === String(this.#replicationId) ? this.#header.incarnation : null;
  }

  add(
    given: readonly Addition[],
    extend: boolean,
  ): { written: Written; announcement: Announcement | null } | null {
    const incarnation = this.incarnation;
    if (incarnation === null) return null;
    this.#undo.beginWrite();
    const additions = given.filter((addition) => this.#put(addition, extend)).map((a) => this.#raise(a));
    if (additions.length === 0) {
      return { written: { incarnation, position: this.#header.head }, announcement: null };
    }
    const previous = this.#header.head;
    const position = this.#nextPosition();
    const entry: FeedEntry = { position, previous, additions: packAdditions(additions) };
    this.#feed.push(entry);
    this.#undo.note(() => this.#feed.pop());
    this.#setHeader({ head: position });
    return { written: { incarnation, position }, announcement: { incarnation, ...entry } };
  }

  sync(report: InstanceReport): { answer: SyncAnswer; moved: boolean } {
    this.#undo.beginWrite();
    const moved = this.#instances.report(report, this.#nowMs());
    const incarnation = this.incarnation;
    const follows = incarnation !== null && report.incarnation === incarnation;
    const entries = follows ? this.#entriesAfter(report.position) : [];
    return {
      answer: { incarnation, head: this.#header.head, entries },
      moved,
    };
  }

  chunks() {
    return this.#buckets.chunks(() => this.#nowMs());
  }

  signOff(instanceId: string): boolean {
    this.#undo.beginWrite();
    return this.#instances.signOff(instanceId, this.#nowMs());
  }

  removeInstances(seen: readonly SeenInstance[]): number {
    this.#undo.beginWrite();
    return this.#instances.remove(seen);
  }

  readState(): StoreState {
    return {
      incarnation: this.incarnation,
      incarnationSinceMs: this.#header.sinceMs,
      isFirstIncarnation: this.#header.isFirst,
      wholeSinceMs: this.#header.wholeSinceMs,
      head: this.#header.head,
      longest: this.#header.longest,
      storeTimeMs: this.#nowMs(),
      replicaLagMs: 0,
    };
  }

  readInstances(): InstancesView {
    return { ...this.readState(), instances: this.#instances.all };
  }

  raiseLongest(longest: Longest): void {
    this.#undo.beginWrite();
    this.#setHeader({ longest: combine(this.#header.longest, longest, Math.max) });
  }

  lowerLongest(longest: Longest): void {
    this.#undo.beginWrite();
    this.#setHeader({ longest: combine(this.#header.longest, longest, Math.min) });
  }

  beginRepair(lock: string, givenUp: readonly string[]): RepairStart | null {
    const before = this.#header.lock;
    const holder = this.#lockHolder;
    if (before !== null && holder !== null && ![lock, ...givenUp].includes(holder)) {
      if (Math.abs(this.#nowMs() - before.atMs) < repairLockMs) return null;
    }
    this.#undo.beginWrite();
    const found = { incarnation: this.#header.incarnation, head: this.#header.head, atMs: this.#nowMs() };
    this.#setHeader({ lock: this.#lockOf(lock), incarnation: null, replicationId: null });
    return found;
  }

  repair(lock: string, additions: readonly Addition[]): boolean {
    if (this.#lockHolder !== lock) return false;
    this.#undo.beginWrite();
    this.#setHeader({ lock: this.#lockOf(lock) });
    for (const addition of additions) this.#restore(addition);
    return true;
  }

  completeRepair(lock: string, repaired: RepairEnd): boolean {
    if (this.#lockHolder !== lock) return false;
    this.#undo.beginWrite();
    this.#setHeader({
      incarnation: repaired.incarnation,
      replicationId: String(this.#replicationId),
      sinceMs: this.#nowMs(),
      isFirst: repaired.isFirst,
      wholeSinceMs: repaired.wholeSinceMs,
      longest: combine(this.#header.longest, repaired.longest, Math.max),
      lock: null,
    });
    return true;
  }

  trimFeed(keepMs: number, limit: number): number {
    const oldest = createPosition(Math.max(0, Math.ceil(this.#nowMs() - keepMs)), 0);
    const kept = this.#feed.findIndex(({ position }) => position >= oldest);
    const count = Math.min(limit, kept === -1 ? this.#feed.length : kept);
    if (count > 0) {
      this.#undo.beginWrite();
      const gone = this.#feed.splice(0, count);
      this.#undo.note(() => this.#feed.unshift(...gone));
    }
    return count;
  }

  purgeExpired(): number {
    this.#undo.beginWrite();
    return this.#buckets.purge(this.#nowMs());
  }

  get damaged(): readonly string[] {
    return [...this.#damaged];
  }

  damage(bucket: string): void {
    this.#undo.forget();
    this.#damaged.add(bucket);
    this.#buckets.discard(bucket);
  }

  discard(lock: string, buckets: readonly string[]): boolean {
    if (this.#lockHolder !== lock) return false;
    this.#undo.beginWrite();
    for (const bucket of buckets) {
      this.#damaged.delete(bucket);
      this.#buckets.discard(bucket);
    }
    return true;
  }

  lose(isLost: (addition: Addition) => boolean): number {
    this.#undo.forget();
    return this.#buckets.lose(isLost);
  }

  wipe(): void {
    this.#undo.forget();
    this.#damaged.clear();
    this.#buckets.clear();
    this.#instances.clear();
    this.#header = emptyHeader;
    this.#feed = [];
  }

  /** Another server goes on with the contents, but for the last writes. */
  takeOver(lostWrites: number): void {
    this.#undo.undoLast(lostWrites);
    this.#undo.forget();
    this.#replicationId += 1;
  }

  /** What a server that was cut off has: all of it, and a life of its own. */
  copy(): StoreContents {
    const copied = new StoreContents({ clock: this.#clock, undoDepth: 0 });
    copied.#buckets.takeCopyOf(this.#buckets);
    copied.#instances.takeCopyOf(this.#instances);
    copied.#header = this.#header;
    copied.#feed = [...this.#feed];
    copied.#replicationId = this.#replicationId;
    return copied;
  }

  #put(addition: Addition, extend: boolean): boolean {
    const nowMs = this.#nowMs();
    const raised = this.#raise(addition);
    if (raised.kind === "token")
      this.#buckets.putToken(raised.token, raised.exp, this.#leastUntilSeconds * 1000);
    else if (raised.kind === "unrecorded-token") this.#buckets.putUnrecorded(raised.token, raised.until);
    else {
      return this.#buckets.putCutOff(raised, extend ? raised.until : 0, nowMs);
    }
    return true;
  }

  #restore(addition: Addition): void {
    const nowMs = this.#nowMs();
    const raised = this.#raise(addition);
    if (raised.kind === "token")
      this.#buckets.putToken(raised.token, raised.exp, this.#leastUntilSeconds * 1000);
    else if (addition.kind === "unrecorded-token" && raised.kind === "unrecorded-token") {
      if (this.#buckets.hasUnrecorded(addition.token, addition.until, nowMs)) return;
      this.#buckets.putUnrecorded(raised.token, raised.until);
    } else if (addition.kind === "cut-off" && raised.kind === "cut-off") {
      this.#buckets.putCutOff(raised, addition.until, nowMs);
    }
  }

  #raise(addition: Addition): Addition {
    if (addition.kind === "token") return addition;
    return { ...addition, until: Math.max(addition.until, this.#leastUntilSeconds) };
  }

  get #leastUntilSeconds(): number {
    return Math.ceil(this.#nowMs() / 1000) + this.#header.longest.tokenLifetimeSeconds;
  }

  /** Null also where another server took over since: it may lack a chunk that the one before had confirmed. */
  get #lockHolder(): string | null {
    const { lock } = this.#header;
    return lock?.replicationId === String(this.#replicationId) ? lock.holder : null;
  }

  #lockOf(holder: string): Header["lock"] {
    return { holder, replicationId: String(this.#replicationId), atMs: this.#nowMs() };
  }

  #nextPosition(): Position {
    const atNow = createPosition(this.#nowMs(), 0);
    if (atNow > this.#header.head) return atNow;
    const [milliseconds = "0", sequence = "0"] = this.#header.head.split("-");
    return createPosition(milliseconds, Number(sequence) + 1);
  }

  #setHeader(changes: Partial<Header>): void {
    const before = this.#header;
    this.#undo.note(() => void (this.#header = before));
    this.#header = { ...before, ...changes };
  }

  #entriesAfter(position: Position): readonly FeedEntry[] {
    let first = this.#feed.length;
    while (first > 0 && (this.#feed[first - 1]?.position ?? origin) > position) first -= 1;
    return this.#feed.slice(first, first + entriesPerSync);
  }

  #nowMs(): number {
    return Math.floor(this.#clock.wallMs());
  }
}

function combine(a: Longest, b: Longest, pick: (a: number, b: number) => number): Longest {
  return {
    tokenLifetimeSeconds: pick(a.tokenLifetimeSeconds, b.tokenLifetimeSeconds),
    maxStalenessMs: pick(a.maxStalenessMs, b.maxStalenessMs),
  };
}
