import type { PrerequisiteName } from "./prerequisites.ts";
import type { DetachedCommand } from "./processes.ts";

export interface Place {
  /** Downloads, kept between runs. */
  readonly programs: string;
  /** The service's own data folder. */
  readonly data: string;
  readonly ports: readonly number[];
}

/** One real server: how it is fetched, started and asked whether it answers. */
export interface Service {
  readonly portCount: number;
  readonly readyWithinMs: number;
  /** What must be there before `install`. */
  prerequisites(programs: string): readonly PrerequisiteName[];
  /** Downloads what is missing; what is there stays. */
  install(programs: string, log: (line: string) => void): Promise<void>;
  /** Writes settings and formats an empty data folder. */
  prepare(place: Place): Promise<Omit<DetachedCommand, "logFile">>;
  /** Rejects while the server does not answer yet. */
  probe(ports: readonly number[]): Promise<void>;
}
