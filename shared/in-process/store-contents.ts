import type { Clock } from "../ports/platform.ts";
import {
  type Announcement,
  type InstanceReport,
  type InstancesView,
  type RepairEnd,
  type RepairStart,
  repairLockMs,
  type SeenInstance,
  type StoreState,
  type SyncAnswer,
  type Written,
} from "../ports/revocation-store.ts";
import type { Addition } from "../revocation/addition.ts";
import { covers, type Longest, type Lowering, type VersionedLongest } from "../revocation/longest.ts";
import { packAdditions } from "../revocation/packed-additions.ts";
import { StoreBuckets } from "./store-buckets.ts";
import { StoreFeed } from "./store-feed.ts";
import { StoreInstances } from "./store-instances.ts";
import { StoreLongest } from "./store-longest.ts";
import { UndoLog } from "./undo-log.ts";

interface Header {
  readonly incarnation: string | null;
  readonly replicationId: string | null;
  readonly sinceMs: number;
  readonly isFirst: boolean;
  readonly wholeSinceMs: number | null;
  readonly lock: { readonly holder: string; readonly replicationId: string; readonly atMs: number } | null;
}

const emptyHeader: Header = {
  incarnation: null,
  replicationId: null,
  sinceMs: 0,
  isFirst: false,
  wholeSinceMs: null,
  lock: null,
};

/** What the server holds. Every method is one atomic step. Null stands for "the store is invalid". */
export class StoreContents {
  readonly #clock: Clock;
  readonly #undo: UndoLog;
  readonly #buckets: StoreBuckets;
  readonly #feed: StoreFeed;
  readonly #instances: StoreInstances;
  readonly #longest: StoreLongest;
  readonly #damaged = new Set<string>();
  #header = emptyHeader;
  #replicationId = 1;

  constructor(deps: { clock: Clock; undoDepth: number }) {
    this.#clock = deps.clock;
    this.#undo = new UndoLog(deps.undoDepth);
    this.#buckets = new StoreBuckets(this.#undo);
    this.#feed = new StoreFeed(this.#undo);
    this.#instances = new StoreInstances(this.#undo);
    this.#longest = new StoreLongest(this.#undo);
  }

  get incarnation(): string | null {
    const isOfThisServer = this.#header.replicationId === String(this.#replicationId);
    return isOfThisServer && this.#instances.areWhole && this.#feed.isPlausible(this.#nowMs())
      ? this.#header.incarnation
      : null;
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
      return { written: { incarnation, position: this.#feed.head }, announcement: null };
    }
    const entry = this.#feed.append(packAdditions(additions), this.#nowMs());
    return { written: { incarnation, position: entry.position }, announcement: { incarnation, ...entry } };
  }

  sync(report: InstanceReport): { answer: SyncAnswer; moved: boolean } {
    this.#undo.beginWrite();
    const moved = this.#instances.report(report, this.#nowMs());
    const { version: _, ...longest } = this.#longest.confirmed;
    const isCovered = this.incarnation === null || covers(longest, report);
    if (!isCovered) this.#longest.want(report);
    const incarnation = isCovered ? this.incarnation : null;
    const follows = incarnation !== null && report.incarnation === incarnation;
    const entries = follows ? this.#feed.after(report.position) : [];
    return { answer: { incarnation, isCovered, longest, head: this.#feed.head, entries }, moved };
  }

  chunks() {
    return this.#buckets.chunks(() => this.#nowMs());
  }

  signOff(instanceId: string): boolean {
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
      head: this.#feed.head,
      longest: this.#longest.confirmed,
      wanted: this.#longest.wanted,
      storeTimeMs: this.#nowMs(),
      replicaLagMs: 0,
    };
  }

  readInstances(): InstancesView {
    return { ...this.readState(), instances: this.#instances.all };
  }

  wantLongest(longest: Longest): void {
    this.#undo.beginWrite();
    this.#longest.want(longest);
  }

  confirmLongest(longest: VersionedLongest): void {
    this.#undo.beginWrite();
    this.#longest.confirm(longest);
  }

  lowerLongest(lowering: Lowering): boolean {
    if (this.incarnation !== lowering.incarnation) return false;
    this.#undo.beginWrite();
    return this.#longest.lower(lowering, this.#instances.all);
  }

  beginRepair(lock: string, givenUp: readonly string[]): RepairStart | null {
    const before = this.#header.lock;
    const holder = this.#lockHolder;
    if (before !== null && holder !== null && ![lock, ...givenUp].includes(holder)) {
      if (Math.abs(this.#nowMs() - before.atMs) < repairLockMs) return null;
    }
    this.#undo.beginWrite();
    const atMs = this.#nowMs();
    const isSound = this.#feed.isPlausible(atMs);
    if (!isSound) this.#feed.drop();
    const { head } = this.#feed;
    const incarnation = isSound ? this.#header.incarnation : null;
    this.#longest.forgetConfirmed();
    this.#instances.recount();
    this.#setHeader({ lock: this.#lockOf(lock), incarnation: null, replicationId: null });
    return { incarnation, head, atMs, unsound: isSound ? [] : ["feed"] };
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
    this.#longest.confirm(repaired.longest);
    this.#setHeader({
      incarnation: repaired.incarnation,
      replicationId: String(this.#replicationId),
      sinceMs: this.#nowMs(),
      isFirst: repaired.isFirst,
      wholeSinceMs: repaired.wholeSinceMs,
      lock: null,
    });
    return true;
  }

  trimFeed(keepMs: number, limit: number): number {
    return this.#feed.trim(this.#nowMs() - keepMs, limit);
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

  loseInstance(instanceId: string): void {
    this.#undo.forget();
    this.#instances.lose(instanceId);
  }

  wipe(): void {
    this.#undo.forget();
    this.#damaged.clear();
    this.#buckets.clear();
    this.#instances.clear();
    this.#longest.clear();
    this.#feed.clear();
    this.#header = emptyHeader;
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
    copied.#longest.takeCopyOf(this.#longest);
    copied.#header = this.#header;
    copied.#feed.takeCopyOf(this.#feed);
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
    return Math.ceil(this.#nowMs() / 1000) + this.#longest.confirmed.tokenLifetimeSeconds;
  }

  /** Null also where another server took over since: it may lack a chunk that the one before had confirmed. */
  get #lockHolder(): string | null {
    const { lock } = this.#header;
    return lock?.replicationId === String(this.#replicationId) ? lock.holder : null;
  }

  #lockOf(holder: string): Header["lock"] {
    return { holder, replicationId: String(this.#replicationId), atMs: this.#nowMs() };
  }

  #setHeader(changes: Partial<Header>): void {
    const before = this.#header;
    this.#undo.note(() => void (this.#header = before));
    this.#header = { ...before, ...changes };
  }

  #nowMs(): number {
    return Math.floor(this.#clock.wallMs());
  }
}
