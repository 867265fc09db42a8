import { timeText, type Violation } from "./finding.ts";
import type { FaultSpan, History } from "./history.ts";

const promisedMs = 5_000;
/** What had failed is whole again so long after it was healed: joined the group, repaired the store. */
const recoveryMs = 15_000;
/** What Kafka took just before it went away waits there for it. */
const beforeKafkaGoesMs = 3_000;

interface Span {
  readonly from: number;
  readonly to: number;
}

/**
 * I1b: what was accepted is applied within five seconds, with Kafka or without it, as long as MongoDB, Redis and the
 * workers are well. (A worker that dies takes its partitions along until its session in the group has ended.)
 */
export function checkPrompt(history: History): readonly Violation[] {
  const disturbed = [...history.faults.flatMap(disturbanceOf), ...history.ends.map(afterEnd)];
  return history.revokes.flatMap((revoke) => {
    if (revoke.outcome !== "accepted" || revoke.way === "upstream") return [];
    const appliedAt = history.appliedOf(revoke)?.appliedAt ?? Infinity;
    const dueAt = revoke.done + promisedMs;
    const isExcused = disturbed.some(({ from, to }) => from <= dueAt && to >= revoke.done);
    if (isExcused || appliedAt <= dueAt) return [];
    const what = `${revoke.way} of ${revoke.user} accepted at ${timeText(revoke.done)}`;
    const late = Number.isFinite(appliedAt) ? `applied at ${timeText(appliedAt)}` : "never applied";
    return [{ invariant: "I1b" as const, detail: `${what}, ${late}` }];
  });
}

function disturbanceOf({ target, begin, active, heal, healed }: FaultSpan): Span[] {
  if (target === "kafka") {
    const goes = { from: begin - beforeKafkaGoesMs, to: active };
    return active === heal ? [] : [goes, { from: heal, to: healed + recoveryMs }];
  }
  const concerns = target === "mongo" || target === "redis" || target.startsWith("worker");
  return concerns ? [{ from: begin, to: healed + recoveryMs }] : [];
}

function afterEnd({ at }: { readonly at: number }): Span {
  return { from: at, to: at + recoveryMs };
}
