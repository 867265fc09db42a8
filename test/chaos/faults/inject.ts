import { setTimeout as delay } from "node:timers/promises";
import type { ScheduledFault } from "../deal.ts";
import { kindOf } from "../fault-kinds.ts";
import type { Recorder } from "../recorder.ts";
import type { ChaosSystem } from "../system/start-system.ts";
import type { EventFaults } from "./event-faults.ts";
import { endLinkFault, startLinkFault } from "./link-faults.ts";
import { endProcessFault, startProcessFault } from "./process-faults.ts";
import { endRedisFault, startRedisFault } from "./redis-faults.ts";
import { endReplicationFault, startReplicationFault } from "./replication-faults.ts";

export interface FaultDeps {
  readonly system: ChaosSystem;
  readonly recorder: Recorder;
  readonly events: EventFaults;
  readonly log: (line: string) => void;
  /** Nothing more is done to the system once it is aborted. */
  readonly signal: AbortSignal;
}

/** Does one fault at its time, and undoes it. Two faults with the same target follow one another (see `queues`). */
export function createInjector(deps: FaultDeps) {
  const queues = new Map<string, Promise<void>>();
  const startedAtMs = performance.now();

  async function inject(fault: ScheduledFault): Promise<void> {
    const { system, recorder, events, log, signal } = deps;
    const { id, does, target } = fault;
    const note = (phase: "begin" | "active" | "heal" | "healed") =>
      recorder.note({ op: "fault", at: Date.now(), phase, id, does, target, kind: kindOf(fault) });
    log(`${does} ${target} for ${fault.forMs} ms`);
    note("begin");
    await begin(fault, { system, events, log });
    note("active");
    await delay(fault.forMs, undefined, { signal });
    note("heal");
    await end(fault, { system, log });
    note("healed");
  }

  return {
    /** Resolves when the last one is healed. */
    async run(schedule: readonly ScheduledFault[]): Promise<void> {
      const failures: unknown[] = [];
      for (const fault of schedule) {
        const waitMs = startedAtMs + fault.atMs - performance.now();
        if (waitMs > 0) await delay(waitMs, undefined, { signal: deps.signal });
        if (failures.length > 0) break;
        const earlier = queues.get(fault.target) ?? Promise.resolve();
        const injected = earlier
          .then(() => inject(fault))
          .catch((error: unknown) => void failures.push(error));
        queues.set(fault.target, injected);
      }
      await Promise.all(queues.values());
      if (failures.length > 0) throw failures[0];
    },
  };
}

async function begin(
  fault: ScheduledFault,
  { system, events, log }: Pick<FaultDeps, "system" | "events" | "log">,
): Promise<void> {
  switch (fault.does) {
    case "kill":
    case "pause":
      return startProcessFault(fault, system);
    case "cut":
    case "delay":
    case "half-open":
    case "reset":
      return startLinkFault(fault, system);
    case "flushall":
    case "restart-empty":
    case "restart-aof":
    case "disk-full":
      return startRedisFault(fault.does, system);
    case "fail-over":
    case "split":
      return startReplicationFault(fault, { system, log });
    case "duplicate-events":
      return events.duplicate();
    case "poisoned-events":
      return events.poison();
  }
}

async function end(fault: ScheduledFault, { system, log }: Pick<FaultDeps, "system" | "log">): Promise<void> {
  switch (fault.does) {
    case "kill":
    case "pause":
      return endProcessFault(fault, system);
    case "cut":
    case "delay":
    case "half-open":
      return endLinkFault(fault, system);
    case "restart-empty":
    case "restart-aof":
    case "disk-full":
      return endRedisFault(fault.does, system);
    case "fail-over":
    case "split":
      return endReplicationFault(fault, { system, log });
    case "reset":
    case "flushall":
    case "duplicate-events":
    case "poisoned-events":
      return;
  }
}
