import type { UsedServices } from "../services/start-services.ts";
import type { Contest, Row } from "./contest.ts";

export interface BenchContext {
  /** Small and once: shows that it runs and that the answers agree, and measures nothing. */
  readonly isShort: boolean;
  /** Found or started with the first call, given up at the end of the run. */
  services(): Promise<UsedServices>;
  /** Undone at the end of the run, the last first. */
  atEnd(undo: () => Promise<unknown>): void;
  log(line: string): void;
}

export interface Benchmark {
  readonly name: string;
  /** What it measures, in a line. */
  readonly about: string;
  contests(context: BenchContext): AsyncIterable<Contest | readonly Row[]>;
}
