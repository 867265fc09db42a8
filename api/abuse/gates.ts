import { AppError } from "../../shared/errors.ts";

export interface Gates {
  /**
   * Waits until fewer are inside the gate of this name than `room` tells, which is asked again each time that somebody
   * leaves; resolves with the way out. `room` tells at least 1, or rejects; then so does this.
   */
  enter(name: string, room: () => Promise<number>): Promise<() => void>;
}

interface Gate {
  inside: number;
  readonly waiting: (() => void)[];
}

/** All gates together: who comes later is sent away with `too-busy`. */
const maxWaiting = 256;

export function createGates(): Gates {
  const gates = new Map<string, Gate>();
  let waiting = 0;

  function leave(name: string, gate: Gate): void {
    gate.inside -= 1;
    if (gate.inside === 0) gates.delete(name);
    for (const wake of gate.waiting.splice(0)) wake();
  }

  return {
    async enter(name, room) {
      for (;;) {
        const allowed = await room();
        const gate = gates.get(name) ?? { inside: 0, waiting: [] };
        if (gate.inside < allowed) {
          gate.inside += 1;
          gates.set(name, gate);
          return () => leave(name, gate);
        }
        if (waiting >= maxWaiting)
          throw new AppError("too-busy", "Too many attempts wait; try again shortly.");
        waiting += 1;
        await new Promise<void>((resolve) => gate.waiting.push(resolve));
        waiting -= 1;
      }
    },
  };
}
