import { type Log, silentLog } from "../../shared/log.ts";
import type { LedgerRow } from "../../shared/ports/ledger.ts";
import type { World } from "./world.ts";

/** Said rightly when retention took events. */
const expectedErrors: readonly string[] = ["revoker.events-lost"];

/**
 * A person must act on an error, and none of the faults calls for one. A comparison puts right what was lost unnoticed,
 * and here nothing is: what it finds, a repair or a load has left out, if a token may live that it matches.
 */
export function createWatchedLog(world: World, name: string): Log {
  const { history } = world;

  async function judgeRepair(event: string, eventIds: readonly unknown[]): Promise<void> {
    const { ledger } = world.database.connect();
    const rows = await ledger.findMany(eventIds.map(String));
    if (eventIds.length > 0 && !rows.some((row) => matters(world, row))) return;
    history.violate("I6", world.nowMs, `what was lost unnoticed had to be put back: ${name}, ${event}`);
  }

  const log: Log = {
    ...silentLog,
    warn(event, { event_ids: eventIds = [] } = {}) {
      if (event.endsWith(".divergence-repaired"))
        void judgeRepair(event, Array.isArray(eventIds) ? eventIds : []);
    },
    error(event) {
      if (!expectedErrors.includes(event)) history.violate("crash", world.nowMs, `${event}, says ${name}`);
    },
    child: () => log,
  };
  return log;
}

/**
 * Another event may have cut off the same before, and what it wrote have gone with the last token: where it reaches no
 * further the store keeps the earlier cut-off with its end, while the row of the later one lives a lifetime from then.
 */
function matters(world: World, row: LedgerRow): boolean {
  const { records, wallMs, plan } = world;
  const { subject, epoch, notBefore, untilMs } = row;
  if (epoch === null && notBefore !== null) {
    return notBefore + plan.conditions.tokenLifetimeSeconds > wallMs.latest / 1_000;
  }
  if (epoch === null) return (untilMs ?? 0) > wallMs.latest;
  return [...records.values()].some(
    (token) => token.expiresAtMs > wallMs.latest && token.subject === subject && token.epoch < epoch,
  );
}
