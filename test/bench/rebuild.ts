import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Command } from "commander";
import { Redis } from "ioredis";
import type { StalenessPolicy } from "../../api/blacklist/staleness-policy.ts";
import { silentLog } from "../../shared/log.ts";
import { connectMongo } from "../../shared/mongo/database.ts";
import { createPlatform } from "../../shared/platform.ts";
import { connectRedisStore } from "../../shared/redis/revocation-store.ts";
import { findServices } from "../services/find-services.ts";
import { mongo } from "../services/mongo.ts";
import { endProcess } from "../services/processes.ts";
import { startService } from "../services/start-service.ts";
import { servicesFolder } from "../services/state.ts";
import { createClient } from "../support/client.ts";
import { eventually } from "../support/eventually.ts";
import { fillLedger } from "../support/fill-ledger.ts";
import { createFleet } from "../support/fleet.ts";
import { createRedisProcess } from "../support/redis-process.ts";
import { freshNamespace } from "../support/services.ts";
import { wholeNumberFrom } from "../support/whole-number.ts";
import { bareReadMs } from "./bare-read.ts";
import { startProbing } from "./probing.ts";

const options = new Command("rebuild")
  .description("How long it takes to rebuild an emptied store from the ledger, while instances serve.")
  .option("--revocations <n>", "live revocations", wholeNumberFrom(1), 1_000_000)
  .option("--tokens-per-row <n>", "marked tokens of each deactivation", wholeNumberFrom(1), 49)
  .option(
    "--instances <n>",
    "API processes of each staleness policy that serve meanwhile",
    wholeNumberFrom(1),
    1,
  )
  .option("--within-ms <n>", "exit with 1 when it takes longer", wholeNumberFrom(1), 60_000)
  .option("--mongo-url <url>", "a MongoDB server to fill; without it one is started for this run")
  .option("--filled <namespace>", "there the ledger of that namespace is filled already")
  .parse(process.argv)
  .opts<{
    revocations: number;
    tokensPerRow: number;
    instances: number;
    withinMs: number;
    mongoUrl?: string;
    filled?: string;
  }>();
const log = (line: string) => process.stderr.write(`rebuild: ${line}\n`);
const startMs = performance.now();
const closers: (() => Promise<unknown>)[] = [];
const namespace = options.filled ?? freshNamespace();

try {
  const report = await measure();
  process.stdout.write(`${JSON.stringify(report)}\n`);
  if (report.rebuilt_ms > options.withinMs) {
    log(`took ${report.rebuilt_ms} ms, expected at most ${options.withinMs}`);
    process.exitCode = 1;
  }
} finally {
  for (const close of closers.toReversed()) await close();
}

async function measure() {
  const mongoUrl = options.mongoUrl ?? (await startMongo());
  const database = await connectMongo({ url: mongoUrl, namespace, log: silentLog, ...createPlatform() });
  closers.push(() => database.close());
  if (options.filled === undefined) await fill(mongoUrl, database);
  const bareMs = await bareReadMs(mongoUrl, namespace);
  log(`a bare read of all marked tokens took ${bareMs} ms`);

  const redis = await createRedisProcess();
  closers.push(() => redis.close());
  await redis.start("--appendonly", "no");
  const services = await findServices(process.env);
  closers.push(() => services.release());
  const addresses = { mongoUrl, redisUrl: redis.url, kafkaBrokers: services.kafkaBrokers };
  const fleet = await createFleet({ ...addresses, namespace });
  closers.push(() => fleet.close());
  const store = await connectRedisStore({
    url: redis.url,
    namespace,
    log: silentLog,
    ...createPlatform(),
  });
  closers.push(() => store.close());
  const long = { timeoutMs: 1_200_000, intervalMs: 50 };
  const repairedSince = (known: string | null) =>
    eventually(async () => {
      const { incarnation } = await store.readState();
      if (incarnation === null || incarnation === known) throw new Error("not repaired yet");
    }, long);
  await fleet.startWorker();
  await repairedSince(null);
  const strictUrls = await startApis("strict");
  const bestEffortUrls = await startApis("best_effort");
  const urls = [...strictUrls, ...bestEffortUrls];
  const token = await createClient(urls[0] ?? "").signIn();

  log("emptying the store");
  // A store under repair renews no lease: who is strict refuses once MAX_STALENESS_MS, by its default, has passed.
  const ofStrict = startProbing(strictUrls, token);
  const ofBestEffort = startProbing(bestEffortUrls, token);
  const before = await store.readState();
  const emptiedAtMs = performance.now();
  await emptied(redis.url);
  await repairedSince(before.incarnation);
  const rebuiltMs = Math.round(performance.now() - emptiedAtMs);
  await eventually(async () => {
    const { incarnation, instances: registered } = await store.readInstances();
    const following = registered.filter((one) => one.incarnation === incarnation);
    if (following.length < urls.length) throw new Error("not followed yet");
  }, long);
  const followedMs = Math.round(performance.now() - emptiedAtMs);
  let revocations = 0;
  for await (const { tokens, cutOffs } of store.load()) {
    revocations += tokens.byteLength / 20 + cutOffs.byteLength / 36;
  }
  return {
    revocations,
    rebuilt_ms: rebuiltMs,
    followed_by_all_ms: followedMs,
    bare_read_ms: bareMs,
    ratio_to_bare_read: Math.round((rebuiltMs / bareMs) * 100) / 100,
    strict_meanwhile: await ofStrict.stop(),
    best_effort_meanwhile: await ofBestEffort.stop(),
    whole_run_ms: Math.round(performance.now() - startMs),
  };

  async function startApis(STALENESS_POLICY: StalenessPolicy): Promise<string[]> {
    const started: string[] = [];
    while (started.length < options.instances)
      started.push((await fleet.startApi({ settings: { STALENESS_POLICY } })).url);
    return started;
  }
}

async function startMongo(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "quash-rebuild-"));
  closers.push(() => rm(folder, { recursive: true, force: true }));
  const programs = join(servicesFolder(process.env), "programs");
  const port = await startService("mongo", mongo, {
    folder,
    programs,
    known: undefined,
    note: (running) => closers.push(() => endProcess(running)),
    log,
  });
  return `mongodb://127.0.0.1:${port}`;
}

async function fill(mongoUrl: string, database: { migrate(): Promise<void> }): Promise<void> {
  await database.migrate();
  const { revocations, tokensPerRow } = options;
  await fillLedger({
    mongoUrl,
    namespace,
    revocations,
    tokensPerRow,
    onProgress: (written) => written % 50_000 === 0 && log(`filled with ${written}`),
  });
}

async function emptied(url: string): Promise<void> {
  const redis = new Redis(url);
  await redis.flushall();
  redis.disconnect();
}
