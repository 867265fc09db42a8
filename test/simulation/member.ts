import type { RunningInstance } from "../../api/start-instance.ts";
import { Link } from "./link.ts";
import type { Scheduler } from "./scheduler.ts";
import type { SimProcess } from "./sim-process.ts";

/** A process of the system, with its links to the three servers. */
export interface Member {
  readonly process: SimProcess;
  readonly links: Readonly<Record<"redis" | "mongodb" | "kafka", Link>>;
  readonly isApi: boolean;
  readonly isBestEffort: boolean;
  /** Of an API process: the present life's, undefined while it starts. */
  instance: RunningInstance | undefined;
  /** When the latest sync was sent that this life got a valid answer to. */
  freshSentAtMs: number;
}

export function createMember(
  process: SimProcess,
  { scheduler, isApi, isBestEffort }: { scheduler: Scheduler; isApi: boolean; isBestEffort: boolean },
): Member {
  const link = (to: "redis" | "mongodb" | "kafka", timeoutMs: number) =>
    new Link({ process, to, scheduler, random: process.random.fork(to), timeoutMs });
  return {
    process,
    links: { redis: link("redis", 2_000), mongodb: link("mongodb", 3_000), kafka: link("kafka", 5_000) },
    isApi,
    isBestEffort,
    instance: undefined,
    freshSentAtMs: -Infinity,
  };
}
