import { endsOf, workerNames } from "../fault-kinds.ts";
import { timeText, type Violation } from "./finding.ts";
import type { FaultSpan, History, Revoke } from "./history.ts";

const promisedMs = 5_000;
/** A store is whole again so long after its fault was healed: it may have to be repaired. */
const storeRecoversMs = 10_000;
/** A worker that was started has loaded, and one whose link was restored is connected, so long after. */
const workerRecoversMs = 6_000;

interface Span {
  readonly from: number;
  readonly to: number;
}

export interface Promptness {
  readonly violations: readonly Violation[];
  /** How many events nothing excused: those that could have shown that one is applied too late. */
  readonly judged: number;
}

/**
 * I1b: what was accepted is applied within five seconds whenever MongoDB, Redis and one worker are up, Kafka or not.
 * So no fault of Kafka excuses anything, nor does one of a worker while another is well all the time.
 */
export function checkPrompt(history: History): Promptness {
  const isExcused = createIsExcused(history);
  const judged = history.revokes.filter(
    (revoke) => revoke.outcome === "accepted" && revoke.way !== "upstream" && !isExcused(revoke),
  );
  const violations = judged.flatMap((revoke) => {
    const appliedAt = history.appliedOf(revoke)?.appliedAt ?? Infinity;
    if (appliedAt <= revoke.done + promisedMs) return [];
    const what = `${revoke.way} ${revoke.event ?? ""} of ${revoke.user} accepted at ${timeText(revoke.done)}`;
    const late = Number.isFinite(appliedAt) ? `applied at ${timeText(appliedAt)}` : "never applied";
    return [{ invariant: "I1b" as const, detail: `${what}, ${late}` }];
  });
  return { violations, judged: judged.length };
}

function createIsExcused(history: History): (revoke: Revoke) => boolean {
  const ofStores = history.faults
    .filter(({ target }) => target === "mongo" || target === "redis")
    .map((fault) => untilRecovered(fault, storeRecoversMs));
  const ofWorkers = workerNames.map((worker) => troublesOf(worker, history));
  return ({ done }) => {
    const overlaps = ({ from, to }: Span) => from <= done + promisedMs && to >= done;
    return ofStores.some(overlaps) || ofWorkers.every((troubles) => troubles.some(overlaps));
  };
}

/** When the worker is not there, cannot reach a store, or has just begun to. */
function troublesOf(worker: string, { run, faults, ends }: History): Span[] {
  const starts = [run.at, ...ends.filter(({ role }) => role === worker).map(({ at }) => at)];
  return [
    ...starts.map((from) => ({ from, to: from + workerRecoversMs })),
    ...faults
      .filter(({ target }) => endsOf(target).role === worker && endsOf(target).service !== "kafka")
      .map((fault) => untilRecovered(fault, workerRecoversMs)),
  ];
}

function untilRecovered({ begin, healed }: FaultSpan, recoversMs: number): Span {
  return { from: begin, to: healed + recoversMs };
}
