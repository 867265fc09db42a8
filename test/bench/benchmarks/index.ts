import type { Benchmark } from "../benchmark.ts";
import { checkHit, checkMiss } from "./check.ts";
import { gc, insertStall, memory, prune } from "./structures.ts";

/** In the order in which they are run. */
export const benchmarks: readonly Benchmark[] = [checkMiss, checkHit, memory, gc, prune, insertStall];
