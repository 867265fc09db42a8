/** Remembers how to take the last writes back, as a fail-over to a replica that had not received them does. */
export class UndoLog {
  readonly #depth: number;
  readonly #writes: (() => void)[][] = [];

  constructor(depth: number) {
    this.#depth = depth;
  }

  beginWrite(): void {
    this.#writes.push([]);
    if (this.#writes.length > this.#depth) this.#writes.shift();
  }

  note(undo: () => void): void {
    this.#writes.at(-1)?.push(undo);
  }

  set<K, V>(map: Map<K, V>, key: K, value: V): void {
    const had = map.has(key);
    const before = map.get(key);
    this.note(() => (had && before !== undefined ? map.set(key, before) : map.delete(key)));
    map.set(key, value);
  }

  delete<K, V>(map: Map<K, V>, key: K): boolean {
    const before = map.get(key);
    if (before === undefined) return false;
    this.note(() => map.set(key, before));
    return map.delete(key);
  }

  /** Takes back the last `count` writes, as far as they are remembered. */
  undoLast(count: number): void {
    for (let left = count; left > 0; left -= 1) {
      for (const undo of (this.#writes.pop() ?? []).toReversed()) undo();
    }
  }

  forget(): void {
    this.#writes.length = 0;
  }
}
