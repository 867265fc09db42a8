import type { Log } from "../../shared/log.ts";
import type { Blacklist } from "./blacklist.ts";

export interface MemoryAlarmDeps {
  readonly blacklist: Pick<Blacklist, "bytes" | "entries">;
  readonly ceilingBytes: number;
  readonly log: Log;
}

/**
 * Raises an alarm, once, when the blacklist takes more memory than was planned for. It goes on growing: to forget a
 * revocation would be to accept its token.
 */
export function createMemoryAlarm({ blacklist, ceilingBytes, log }: MemoryAlarmDeps) {
  let isAbove = false;
  return function lookAtMemory(): void {
    const { bytes, entries } = blacklist;
    const wasAbove = isAbove;
    isAbove = bytes > ceilingBytes;
    if (isAbove && !wasAbove) {
      log.error("blacklist.above-ceiling", {
        bytes,
        entries,
        ceiling_bytes: ceilingBytes,
        advice:
          "give the instances more memory and raise BLACKLIST_CEILING_MB; nothing is forgotten meanwhile",
      });
    } else if (wasAbove && !isAbove) log.info("blacklist.below-ceiling", { bytes, entries });
  };
}
