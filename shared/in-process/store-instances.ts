import type { InstanceReport, RegisteredInstance, SeenInstance } from "../ports/revocation-store.ts";
import type { UndoLog } from "./undo-log.ts";

/** Who is registered. Every method is a part of one atomic step. */
export class StoreInstances {
  readonly #undo: UndoLog;
  readonly #instances = new Map<string, RegisteredInstance>();

  constructor(undo: UndoLog) {
    this.#undo = undo;
  }

  get all(): readonly RegisteredInstance[] {
    return [...this.#instances.values()];
  }

  /** Whether it moved: stands elsewhere than at its last report. */
  report(report: InstanceReport, nowMs: number): boolean {
    const before = this.#instances.get(report.instanceId);
    this.#undo.set(this.#instances, report.instanceId, {
      id: report.instanceId,
      incarnation: report.incarnation,
      position: report.position,
      maxStalenessMs: report.maxStalenessMs,
      entries: report.entries,
      syncCount: Math.max((before?.syncCount ?? 0) + 1, nowMs),
      lastSyncAtMs: nowMs,
      signedOffAtMs: null,
    });
    return before?.position !== report.position || before.incarnation !== report.incarnation;
  }

  signOff(instanceId: string, nowMs: number): boolean {
    const instance = this.#instances.get(instanceId);
    if (instance === undefined) return false;
    this.#undo.set(this.#instances, instanceId, { ...instance, signedOffAtMs: nowMs });
    return true;
  }

  remove(seen: readonly SeenInstance[]): number {
    const unchanged = seen.filter(({ id, syncCount }) => this.#instances.get(id)?.syncCount === syncCount);
    for (const { id } of unchanged) this.#undo.delete(this.#instances, id);
    return unchanged.length;
  }

  takeCopyOf(other: StoreInstances): void {
    for (const [id, instance] of other.#instances) this.#instances.set(id, instance);
  }

  clear(): void {
    this.#instances.clear();
  }
}
