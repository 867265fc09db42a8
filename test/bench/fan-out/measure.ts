import { randomUUID } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import { Kafka, logLevel, Partitioners } from "kafkajs";
import { Agent, request } from "undici";

export interface Published {
  readonly key: string;
  readonly value: string | Buffer;
  readonly headers: Record<string, string>;
}

/** A response that ends once the process that gives it has heard. */
export interface Watch {
  readonly url: string;
  readonly headers: Record<string, string>;
}

export interface Round {
  readonly record: Published;
  readonly watches: readonly Watch[];
}

/** One way from a topic to all instances. */
export interface Course {
  readonly name: string;
  readonly topic: string;
  /** A round for each name. */
  prepare(names: readonly string[]): Promise<readonly Round[]>;
  /** A record that is as much work, and that nobody waits for. */
  background(name: string): Published;
  close(): Promise<void>;
}

const dispatcher = new Agent({ pipelining: 1, headersTimeout: 30_000, bodyTimeout: 0 });
const pauseMs = 30;
const lostAfterMs = 20_000;

/** More comes than the services can take: what is measured from then on is the length of a queue. */
export class TooLate extends Error {}

export interface Measured {
  /** From just before the record was sent until the last of all had heard; of each round of each course. */
  readonly tookMs: ReadonlyMap<Course, readonly number[]>;
}

/** The courses in turns, one record at a time, while so many others a second are published to each of them. */
export async function measure(
  courses: readonly Course[],
  { rounds, perSecond, brokers }: { rounds: number; perSecond: number; brokers: string },
): Promise<Measured> {
  const producer = new Kafka({
    brokers: brokers.split(","),
    clientId: "bench",
    logLevel: logLevel.NOTHING,
  }).producer({ createPartitioner: Partitioners.DefaultPartitioner });
  await producer.connect();
  const publish = (topic: string, record: Published) =>
    producer.send({ topic, acks: -1, messages: [record] }).then(() => undefined);
  const background = startBackground(courses, { perSecond, publish });
  try {
    const prepared = new Map<Course, readonly Round[]>();
    for (const course of courses)
      prepared.set(course, await course.prepare(Array.from({ length: rounds }, () => randomUUID())));
    const tookMs = new Map(courses.map((course): [Course, number[]] => [course, []]));
    for (let turn = 0; turn < rounds; turn += 1) {
      for (const course of turn % 2 === 0 ? courses : courses.toReversed()) {
        const round = prepared.get(course)?.[turn];
        if (round === undefined) throw new Error("a round was not prepared");
        tookMs.get(course)?.push(await runRound(round, (record) => publish(course.topic, record)));
        await delay(pauseMs);
      }
    }
    return { tookMs };
  } finally {
    await background.stop();
    await producer.disconnect();
  }
}

async function runRound(
  { record, watches }: Round,
  publish: (record: Published) => Promise<void>,
): Promise<number> {
  const ends = await Promise.all(watches.map(watch));
  const startedAt = performance.now();
  const abandoned = new AbortController();
  const lost = delay(lostAfterMs, undefined, { signal: abandoned.signal }).then(() => {
    throw new TooLate(`an event did not reach all within ${lostAfterMs} ms`);
  });
  const heard = Promise.all([publish(record), ...ends.map((end) => end())]).then(() => performance.now());
  try {
    return (await Promise.race([heard, lost])) - startedAt;
  } finally {
    abandoned.abort();
    lost.catch(() => undefined);
  }
}

/** Resolves once the response has begun, with what waits for its end. */
async function watch({ url, headers }: Watch): Promise<() => Promise<void>> {
  const { statusCode, body } = await request(url, { dispatcher, headers });
  if (statusCode !== 200) throw new Error(`${url} answered ${statusCode}`);
  const chunks: AsyncIterator<Buffer> = body[Symbol.asyncIterator]();
  await chunks.next();
  return async () => {
    while ((await chunks.next()).done !== true);
  };
}

function startBackground(
  courses: readonly Course[],
  { perSecond, publish }: { perSecond: number; publish: (topic: string, record: Published) => Promise<void> },
) {
  const stopping = new AbortController();
  const failures: unknown[] = [];

  async function run(): Promise<void> {
    if (perSecond === 0) return;
    const startedAt = performance.now();
    for (let sent = 0; !stopping.signal.aborted; sent += 1) {
      for (const course of courses)
        publish(course.topic, course.background(randomUUID())).catch((error: unknown) =>
          failures.push(error),
        );
      const waitMs = startedAt + ((sent + 1) * 1_000) / perSecond - performance.now();
      if (waitMs > 1) await delay(waitMs);
    }
  }

  const running = run();
  return {
    async stop() {
      stopping.abort();
      await running;
      if (failures.length > 0) throw new AggregateError(failures, "the background could not be published");
    },
  };
}
