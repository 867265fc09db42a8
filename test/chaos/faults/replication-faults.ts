import { setTimeout as delay } from "node:timers/promises";
import { type RoleName, type replicationFaults, roleNames } from "../fault-kinds.ts";
import type { ReplicatedRedis } from "../system/replicated-redis.ts";
import type { ChaosSystem } from "../system/start-system.ts";

export interface ReplicationFault {
  readonly does: (typeof replicationFaults)[number];
  readonly id: number;
}

export interface ReplicationDeps {
  readonly system: Pick<ChaosSystem, "replication" | "links">;
  readonly log: (line: string) => void;
}

/** So long the primary acknowledges what nobody else is given, before it dies. */
const losesForMs = 1_500;

/**
 * `fail-over`: the primary is cut off, goes on acknowledging writes, and dies with them; everybody follows the other.
 * `split`: it is cut off and lives, another one is put in its place, and some follow the old one on.
 */
export async function startReplicationFault(
  fault: ReplicationFault,
  { system, log }: ReplicationDeps,
): Promise<void> {
  const replication = of(system);
  replication.cutOff();
  if (fault.does === "fail-over") {
    await delay(losesForMs);
    log(`${await replication.countUnreplicated()} bytes of acknowledged writes go down with the primary`);
    await replication.killPrimary();
  }
  await replication.promoted();
  follow(system, fault.does === "fail-over" ? roleNames : movingOf(fault));
}

export async function endReplicationFault(
  { does }: ReplicationFault,
  { system, log }: ReplicationDeps,
): Promise<void> {
  if (does === "split") log(`${await of(system).countWrittenToOld()} bytes went to the old primary alone`);
  follow(system, roleNames);
  await of(system).rejoin();
}

/** One worker and some of the instances; the others have not heard of it. */
function movingOf({ id }: ReplicationFault): readonly RoleName[] {
  return roleNames.filter((_, at) => (at + id) % 2 === 0);
}

function follow(system: ReplicationDeps["system"], roles: readonly RoleName[]): void {
  const { address } = of(system);
  for (const role of roles) system.links.get(`${role}>redis`)?.redirect(address);
}

function of({ replication }: ReplicationDeps["system"]): ReplicatedRedis {
  if (replication === undefined) throw new Error("this Redis has no replica");
  return replication;
}
