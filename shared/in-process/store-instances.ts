import type { InstanceReport, RegisteredInstance, SeenInstance } from "../ports/revocation-store.ts";
import type { UndoLog } from "./undo-log.ts";

/** Who is registered. Every method is a part of one atomic step. */
export class StoreInstances {
  readonly #undo: UndoLog;
  readonly #instances = new Map<string, RegisteredInstance>();
  /** How many there must be. */
  #registered = 0;

  constructor(undo: UndoLog) {
    this.#undo = undo;
  }

  /** False when somebody else has taken one away. */
  get areWhole(): boolean {
    return this.#instances.size === this.#registered;
  }

  get all(): readonly RegisteredInstance[] {
    return [...this.#instances.values()];
  }

  /** Whether it moved: stands elsewhere than at its last report. */
  report(report: InstanceReport, nowMs: number): boolean {
    const before = this.#instances.get(report.instanceId);
    if (before === undefined) this.#count(this.#registered + 1);
    this.#undo.set(this.#instances, report.instanceId, {
      id: report.instanceId,
      incarnation: report.incarnation,
      position: report.position,
      maxStalenessMs: report.maxStalenessMs,
      tokenLifetimeSeconds: report.tokenLifetimeSeconds,
      entries: report.entries,
      syncCount: Math.max((before?.syncCount ?? 0) + 1, nowMs),
      lastSyncAtMs: nowMs,
      signedOffAtMs: null,
    });
    return before?.position !== report.position || before.incarnation !== report.incarnation;
  }

  /** A step of its own, and no write where nobody is registered. */
  signOff(instanceId: string, nowMs: number): boolean {
    const instance = this.#instances.get(instanceId);
    if (instance === undefined) return false;
    this.#undo.beginWrite();
    this.#undo.set(this.#instances, instanceId, { ...instance, signedOffAtMs: nowMs });
    return true;
  }

  remove(seen: readonly SeenInstance[]): number {
    const unchanged = seen.filter(({ id, syncCount }) => this.#instances.get(id)?.syncCount === syncCount);
    for (const { id } of unchanged) this.#undo.delete(this.#instances, id);
    if (unchanged.length > 0) this.#count(this.#registered - unchanged.length);
    return unchanged.length;
  }

  /** Takes those that are there for all that must be. */
  recount(): void {
    this.#count(this.#instances.size);
  }

  /** Behind the store's back. */
  lose(instanceId: string): void {
    this.#instances.delete(instanceId);
  }

  takeCopyOf(other: StoreInstances): void {
    for (const [id, instance] of other.#instances) this.#instances.set(id, instance);
    this.#registered = other.#registered;
  }

  clear(): void {
    this.#instances.clear();
    this.#registered = 0;
  }

  #count(registered: number): void {
    const before = this.#registered;
    this.#undo.note(() => void (this.#registered = before));
    this.#registered = registered;
  }
}
