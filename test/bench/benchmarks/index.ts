import type { Benchmark } from "../benchmark.ts";
import { checkHit, checkMiss } from "./check.ts";
import { checkVsRedis } from "./check-vs-redis.ts";
import { coldStart } from "./cold-start.ts";
import { fanOut } from "./fan-out.ts";
import { growth } from "./growth.ts";
import { idleFleet } from "./idle-fleet.ts";
import { massRevocation } from "./mass-revocation.ts";
import { refusals } from "./refusals.ts";
import { requestThroughput } from "./request-throughput.ts";
import { gc, insertStall, memory, prune } from "./structures.ts";
import { upstreamDump } from "./upstream-dump.ts";

/** In the order in which they are run. */
export const benchmarks: readonly Benchmark[] = [
  checkMiss,
  checkHit,
  checkVsRedis,
  memory,
  gc,
  prune,
  insertStall,
  massRevocation,
  upstreamDump,
  coldStart,
  requestThroughput,
  refusals,
  fanOut,
  idleFleet,
  growth,
];
