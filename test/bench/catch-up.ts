import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { Command } from "commander";
import { encodeEvent } from "../../shared/events/encode-event.ts";
import { ownSource } from "../../shared/events/event.ts";
import { connectKafka } from "../../shared/kafka/event-log.ts";
import { silentLog } from "../../shared/log.ts";
import { createPlatform } from "../../shared/platform.ts";
import type { EventLog, PartitionLag } from "../../shared/ports/event-log.ts";
import { findServices } from "../services/find-services.ts";
import { createClient } from "../support/client.ts";
import { dropMongoDatabase } from "../support/drop-mongo-database.ts";
import { eventually } from "../support/eventually.ts";
import { createFleet, type WorkerProcess } from "../support/fleet.ts";
import { freshNamespace } from "../support/services.ts";
import { wholeNumberFrom } from "../support/whole-number.ts";
import { startProbing } from "./probing.ts";
import { removeNamespace } from "./sides/store.ts";

const options = new Command("catch-up")
  .description("How fast a worker handles the events that waited for it, while instances serve.")
  .option("--events <n>", "sign-outs that wait, each of another user", wholeNumberFrom(1), 1_000_000)
  .option("--instances <n>", "API processes that serve meanwhile", wholeNumberFrom(1), 1)
  .parse(process.argv)
  .opts<{ events: number; instances: number }>();
const log = (line: string) => process.stderr.write(`catch-up: ${line}\n`);
const closers: (() => Promise<unknown>)[] = [];
const namespace = freshNamespace();
const publishedAtOnce = 5_000;

try {
  process.stdout.write(`${JSON.stringify(await measure())}\n`);
} finally {
  for (const close of closers.toReversed()) await close();
}

async function measure() {
  const services = await findServices(process.env);
  closers.push(() => services.release());
  closers.push(() => dropMongoDatabase(services.mongoUrl, namespace));
  closers.push(() => removeNamespace({ redisUrl: services.redisUrl, namespace }));
  const platform = createPlatform();
  const eventLog = connectKafka({
    clientId: "catch-up",
    brokers: services.kafkaBrokers.split(","),
    namespace,
    log: silentLog,
    ...platform,
  });
  closers.push(() => eventLog.close());
  const fleet = await createFleet({ ...services, namespace });
  closers.push(() => fleet.close());

  // Instances start with a store that a worker has made valid.
  const first = await fleet.startWorker();
  const urls: string[] = [];
  while (urls.length < options.instances) urls.push((await fleet.startApi()).url);
  const token = await createClient(urls[0] ?? "").signIn();
  first.child.kill("SIGTERM");
  await once(first.child, "exit");

  const publishedMs = await publishBacklog(eventLog);
  const probing = startProbing(urls, token);
  const worker = await fleet.startWorker();
  const fromMs = performance.now();
  const mostLagTold = await caughtUp(eventLog, worker);
  const caughtUpMs = Math.round(performance.now() - fromMs);
  return {
    events: options.events,
    published_ms: publishedMs,
    caught_up_ms: caughtUpMs,
    events_per_second: Math.round((options.events / caughtUpMs) * 1_000),
    most_lag_told: mostLagTold,
    instances_meanwhile: await probing.stop(),
  };
}

async function publishBacklog(eventLog: EventLog): Promise<number> {
  const fromMs = performance.now();
  for (let sent = 0; sent < options.events; sent += publishedAtOnce) {
    const count = Math.min(publishedAtOnce, options.events - sent);
    await eventLog.publish("events", Array.from({ length: count }, signOut));
  }
  const tookMs = Math.round(performance.now() - fromMs);
  log(`${options.events} events wait`);
  return tookMs;
}

function signOut() {
  return encodeEvent({
    id: randomUUID(),
    source: ownSource(namespace),
    type: "user.signed-out",
    subject: randomUUID(),
    timeMs: Date.now(),
    details: { epoch: 1 },
  });
}

/** Resolves once the worker has committed all, with the most that its metric said meanwhile. */
async function caughtUp(eventLog: EventLog, worker: WorkerProcess): Promise<number> {
  const started = performance.now();
  let mostTold = 0;
  await eventually(
    async () => {
      mostTold = Math.max(mostTold, await lagToldBy(worker));
      const left = sumOf(await eventLog.readLag());
      const seconds = (performance.now() - started) / 1_000;
      log(`${left} left after ${seconds.toFixed(0)} s`);
      if (left > 0) throw new Error(`${left} events are left`);
    },
    { timeoutMs: 6 * 3_600_000, intervalMs: 1_000 },
  );
  return mostTold;
}

function sumOf(lags: readonly PartitionLag[]): number {
  return lags.reduce((sum, { records }) => sum + records, 0);
}

async function lagToldBy({ healthUrl }: WorkerProcess): Promise<number> {
  const text = await (await fetch(`${healthUrl}/metrics`)).text();
  return [...text.matchAll(/^revocation_kafka_consumer_lag\{.*\} (\d+)$/gm)].reduce(
    (sum, [, records]) => sum + Number(records),
    0,
  );
}
