import { createConnectionAdvisor } from "../connection-advisor.ts";
import type { Log } from "../log.ts";
import type { Platform } from "../ports/platform.ts";
import type { RevocationStore } from "../ports/revocation-store.ts";
import { packAdditions } from "../revocation/packed-additions.ts";
import { origin, positionOfStreamId, streamIdOfPosition } from "../revocation/position.ts";
import type { RedisAddress } from "./address.ts";
import { checkServer } from "./check-server.ts";
import { type Argument, createConnection } from "./connection.ts";
import { createDamageRegister } from "./damage-register.ts";
import { partsOf } from "./feed-parts.ts";
import { createStoreKeys, fixedKeysOf } from "./keys.ts";
import { loadContents } from "./load-contents.ts";
import { createRepairer } from "./repairer.ts";
import { numberIn, syncReplyIn, writtenIn } from "./replies.ts";
import { addScript } from "./scripts/additions.ts";
import { removeInstancesScript, signOffScript, syncScript } from "./scripts/instances.ts";
import { readInstancesScript, readStateScript } from "./scripts/read-state.ts";
import type { Script } from "./scripts/script.ts";
import { purgeExpiredScript, trimFeedScript } from "./scripts/upkeep.ts";
import { stateReplyIn } from "./state-reply.ts";
import { storeInvalid } from "./store-invalid.ts";
import { createStoreLongest } from "./store-longest.ts";
import { createStoreSubscriber } from "./store-subscriber.ts";

export interface RedisStoreOptions extends RedisAddress, Pick<Platform, "clock" | "timers"> {
  readonly namespace: string;
  readonly log: Log;
}

const entriesPerSync = 500;
const bytesPerSync = 1024 * 1024;
const bucketsPerPurge = 500;

/**
 * The store on a Redis server. Resolves while Redis is away too: calls fail at once then, until it is back.
 * A sync has a connection of its own, so that no other call can hold it up.
 */
export async function connectRedisStore(options: RedisStoreOptions): Promise<RevocationStore> {
  const { url, caPem, clock, timers } = options;
  const log = options.log.child({ dependency: "redis" });
  const keys = createStoreKeys(options.namespace);
  const advisor = createConnectionAdvisor({ dependency: "redis", isTls: url.startsWith("rediss:") }, log);
  const open = (name: string) =>
    createConnection({ url, ...(caPem === undefined ? {} : { caPem }), log, advisor, name });
  const commands = open("commands");
  const syncs = open("sync");
  const subscriptions = open("subscriptions");
  const subscriber = createStoreSubscriber({ connection: subscriptions, keys, timers, log });
  const damage = createDamageRegister({ connection: commands, keys, clock, log });
  const repairer = createRepairer(damage);
  const fixedKeys = fixedKeysOf(keys);
  const indexes = [keys.indexes.tokens, keys.indexes.unrecorded, keys.indexes["cut-offs"]];

  commands.redis.once("ready", () => void checkServer(commands, log));
  await Promise.all([commands.tryToOpen(), syncs.tryToOpen()]);

  const foreignEntries = createForeignEntries();

  const readState = async (script: Script, what: "instances" | "") => {
    const { view, unreadable } = stateReplyIn(await commands.run(script, fixedKeys, [what]));
    for (const id of unreadable) damage.noteForeign("instance-unreadable", id);
    return view;
  };
  return {
    async add(additions, { extend = false } = {}) {
      const args = [keys.prefix, ...partsOf(packAdditions(additions)), extend ? "extend" : ""];
      const reply = commands.run(addScript, fixedKeys, args);
      const written = writtenIn(await damage.noting(additions, reply));
      if (written === null) throw storeInvalid();
      return written;
    },
    async sync(report) {
      const args: Argument[] = [keys.prefix, report.instanceId, report.incarnation ?? "-"];
      args.push(streamIdOfPosition(report.position), report.maxStalenessMs, report.tokenLifetimeSeconds);
      args.push(report.entries, entriesPerSync, bytesPerSync);
      const reply = await syncs.run(syncScript, fixedKeys, args);
      const { answer, foreign } = syncReplyIn(reply);
      const unseen = foreign.filter((id) => foreignEntries.isNew(id));
      if (unseen.length > 0) log.error("redis.feed-entry-foreign", { ids: unseen.slice(0, 5) });
      return unseen.length > 0 ? { ...answer, foreign: unseen.length } : answer;
    },
    load: () => loadContents(damage.loadDeps),
    readDamaged: () => damage.readDamaged(),
    // On the connection of the syncs, so that none of them can arrive after it.
    async signOff(instanceId) {
      await syncs.run(signOffScript, [keys.instances], [keys.prefix, instanceId]);
    },
    readInstances: () => readState(readInstancesScript, "instances"),
    async removeInstances(seen) {
      const args = seen.flatMap(({ id, syncCount }) => [id, syncCount]);
      return numberIn(await commands.run(removeInstancesScript, [keys.state, keys.instances], args));
    },
    async subscribe(listener) {
      const stop = await subscriber.listen(listener);
      return { close: () => Promise.resolve(stop()) };
    },
    async notifyApplied(eventIds) {
      if (eventIds.length > 0)
        await commands.call("PUBLISH", keys.progress, ["applied", ...eventIds].join(" "));
    },
    readState: () => readState(readStateScript, ""),
    ...createStoreLongest(commands, keys),
    ...repairer,
    trimFeed: async (keepMs, limit) =>
      numberIn(await commands.run(trimFeedScript, [keys.feed], [keepMs, limit])),
    async purgeExpired() {
      const args = [keys.prefix, bucketsPerPurge, "tokens", "unrecorded", "cut-offs"];
      return numberIn(await commands.run(purgeExpiredScript, indexes, args));
    },
    async ping() {
      return commands.call("PING").then(
        () => true,
        () => false,
      );
    },
    close() {
      for (const part of [subscriber, syncs, commands]) part.close();
      return Promise.resolve();
    },
  };
}

/** Each is met at every sync until the position has passed it. */
function createForeignEntries() {
  let last = origin;
  return {
    isNew(streamId: string): boolean {
      const position = positionOfStreamId(streamId);
      if (position <= last) return false;
      last = position;
      return true;
    },
  };
}
