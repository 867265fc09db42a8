import { startInstance } from "../../api/start-instance.ts";
import type { Parts } from "../../shared/ports/parts.ts";
import type { PasswordHasher, Platform } from "../../shared/ports/platform.ts";
import { startWorker } from "../../workers/start-worker.ts";
import { isUser } from "./effect-observer.ts";
import { connectEventLog } from "./linked-event-log.ts";
import type { OnEffect } from "./linked-port.ts";
import { connectStore } from "./linked-store.ts";
import type { Member } from "./member.ts";
import { connectDatabase } from "./observed-database.ts";
import { identityProvider, namespace, placeOf } from "./people.ts";
import { createWatchedLog } from "./watched-log.ts";
import type { Interruption, World } from "./world.ts";

/** As good as any where nobody attacks, and free. */
export const fastHasher: PasswordHasher = {
  hash: (password) => Promise.resolve(`hash of ${password}`),
  verify: (hash, password) => Promise.resolve(hash === `hash of ${password}`),
};

interface Life {
  readonly member: Member;
  readonly platform: Platform;
  readonly parts: Parts;
}

/** The next life of a process: the product's own start, on parts that it reaches over its links. */
export function startMember(world: World, member: Member): void {
  const { process } = member;
  const platform = process.start();
  member.instance = undefined;
  member.freshSentAtMs = -Infinity;
  world.trace(`${process.name} starts, life ${process.life}`);
  const life = { member, platform, parts: connectParts(world, member) };
  const started = member.isApi ? startApi(world, life) : runWorker(world, life);
  started.catch((error: unknown) => world.noteCrash(process.name, error));
}

function connectParts(world: World, member: Member): Parts {
  const { history, scheduler, states } = world;
  const { process, links } = member;
  const { life } = process;
  const noting =
    (port: string): OnEffect =>
    (method) =>
      world.deps.note(`${world.nowMs.toFixed(3)} ${process.name} ${port}.${method}`);
  return {
    database: connectDatabase(world.database, links.mongodb, {
      history,
      states,
      nowMs: () => world.nowMs,
      latestShownMs: () => world.latestShownMs,
      onRecorded: (record) => world.noteRecorded(record),
      onFence: (incarnation) => {
        world.fence = incarnation;
      },
      userOf: ({ iss, sub }) =>
        iss === identityProvider ? (world.userIds[placeOf(sub) ?? -1] ?? null) : null,
      onEffect: async (method, args, result) => {
        await noting("database")(method, args, result);
        const after = stepOf(world, method, { args, result });
        if (after !== null) interrupt(world, process.name, after);
      },
    }),
    eventLog: connectEventLog(world.log, links.kafka, { scheduler, onEffect: noting("log") }),
    store: connectStore(world.store, {
      link: links.redis,
      scheduler,
      onEffect: noting("store"),
      onSync: ({ incarnation }, sentAtMs) => {
        if (incarnation === null || process.life !== life) return;
        member.freshSentAtMs = Math.max(member.freshSentAtMs, sentAtMs);
      },
    }),
  };
}

/** How far the effect brings another system's event; null where it is of no interest. */
function stepOf(
  { history }: World,
  method: string,
  { args, result }: { readonly args: readonly unknown[]; readonly result: unknown },
): Interruption["after"] | null {
  if (method === "markTokens") {
    const isOfUpstream = history.killers.some((killer) => killer.isPublished && killer.eventId === args[0]);
    return isOfUpstream && Number(result) > 0 ? "tokens-marked" : null;
  }
  if (method !== "change" && method !== "changeMany") return null;
  return [result].flat().some((user) => isUser(user) && user.status !== "active") ? "user-shut-out" : null;
}

function interrupt({ interruptions }: World, name: string, after: Interruption["after"]): void {
  const interruption = interruptions.get(name);
  if (interruption?.after !== after) return;
  interruptions.delete(name);
  interruption.act();
}

async function startApi(world: World, { member, platform, parts }: Life): Promise<void> {
  const { name, life } = member.process;
  const { settings, keys } = world.deps;
  const { conditions } = world.plan;
  const instance = await startInstance({
    settings: {
      ...settings,
      SYNC_INTERVAL_MS: conditions.syncIntervalMs,
      MAX_STALENESS_MS: conditions.maxStalenessMs,
      TOKEN_LIFETIME_SECONDS: conditions.tokenLifetimeSeconds,
      REFRESH_LIFETIME_SECONDS: conditions.refreshLifetimeSeconds,
      STALENESS_POLICY: member.isBestEffort ? "best_effort" : "strict",
    },
    platform,
    log: createWatchedLog(world, name),
    parts,
    keys,
    hasher: fastHasher,
    withProcessMetrics: false,
    instanceId: `${name}.${life}`,
    onFailure: (error) => world.noteCrash(name, error),
  });
  if (member.process.life === life) member.instance = instance;
}

async function runWorker(world: World, { member, platform, parts }: Life): Promise<void> {
  const worker = await startWorker({
    settings: {
      namespace,
      issuer: world.deps.settings.TOKEN_ISSUER,
      syncIntervalMs: world.plan.conditions.syncIntervalMs,
    },
    platform,
    log: createWatchedLog(world, member.process.name),
    parts,
  });
  await worker.closed;
}
