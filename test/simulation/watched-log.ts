import { type Log, silentLog } from "../../shared/log.ts";
import type { World } from "./world.ts";

/** Said rightly when retention took events. */
const expectedErrors: readonly string[] = ["revoker.events-lost"];

/**
 * A person must act on an error, and none of the faults calls for one. A comparison puts right what was lost unnoticed,
 * and here nothing is: what it finds, a repair or a load has left out.
 */
export function createWatchedLog(world: World, name: string): Log {
  const { history } = world;
  const log: Log = {
    ...silentLog,
    warn(event) {
      if (event.endsWith(".divergence-repaired")) {
        history.violate("I6", world.nowMs, `what was lost unnoticed had to be put back: ${name}, ${event}`);
      }
    },
    error(event) {
      if (!expectedErrors.includes(event)) {
        history.violate("crash", world.nowMs, `${event}, says ${name}`);
      }
    },
    child: () => log,
  };
  return log;
}
