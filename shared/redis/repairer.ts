import type { RevocationStore } from "../ports/revocation-store.ts";
import type { Addition } from "../revocation/addition.ts";
import { packAdditions } from "../revocation/packed-additions.ts";
import { tokenBucketOf } from "../revocation/retention.ts";
import type { DamageRegister } from "./damage-register.ts";
import { partsOf } from "./feed-parts.ts";
import { fixedKeysOf } from "./keys.ts";
import { createMissingRecords } from "./missing-records.ts";
import { readReplicaLagMs } from "./replica-lag.ts";
import { numberIn, repairStartIn } from "./replies.ts";
import { repairScript } from "./scripts/additions.ts";
import { beginRepairScript, completeRepairScript, discardScript } from "./scripts/repair.ts";

type Repairer = Pick<RevocationStore, "beginRepair" | "repair" | "discard" | "completeRepair">;

function tokenBucketsOf(additions: readonly Addition[]): number[] {
  const tokens = additions.filter((addition) => addition.kind === "token");
  return [...new Set(tokens.map(({ exp }) => tokenBucketOf(exp)))];
}

export function createRepairer(damage: DamageRegister): Repairer {
  const { loadDeps } = damage;
  const { connection, keys } = loadDeps;
  const indexes = [keys.indexes.tokens, keys.indexes.unrecorded, keys.indexes["cut-offs"]];
  /** What the present repair found in the buckets; means nothing under another lock. Large: not kept beyond its end. */
  let present:
    | { readonly lock: string; readonly missingOf: ReturnType<typeof createMissingRecords> }
    | undefined;

  return {
    async beginRepair(lock, givenUp = []) {
      const args = [lock, ...givenUp];
      const reply = await connection.run(beginRepairScript, fixedKeysOf(keys), args);
      return repairStartIn(reply, keys.prefix);
    },
    async repair(lock, additions) {
      if (present?.lock !== lock) present = { lock, missingOf: createMissingRecords(loadDeps) };
      const missing = packAdditions(await present.missingOf(additions));
      const args = [keys.prefix, lock, ...partsOf(missing), tokenBucketsOf(additions).join(" ")];
      const reply = await damage.noting(
        additions,
        connection.run(repairScript, [keys.state, ...indexes], args),
      );
      const isDone = numberIn(reply) === 1;
      if (!isDone) present = undefined;
      return isDone;
    },
    async discard(lock, buckets) {
      // What it takes away is no longer there.
      present = undefined;
      const args = [keys.prefix, lock, ...buckets];
      return numberIn(await connection.run(discardScript, [keys.state, ...indexes], args)) === 1;
    },
    async completeRepair(lock, { incarnation, isFirst, wholeSinceMs, longest }) {
      present = undefined;
      const { tokenLifetimeSeconds, maxStalenessMs, version } = longest;
      const lagMs = await readReplicaLagMs(connection);
      const args = [lock, incarnation, isFirst ? 1 : 0, wholeSinceMs ?? "-"];
      args.push(tokenLifetimeSeconds, maxStalenessMs, version, lagMs);
      return numberIn(await connection.run(completeRepairScript, [keys.state], args)) === 1;
    },
  };
}
