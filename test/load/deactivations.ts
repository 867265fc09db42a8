import { randomUUID } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import { Kafka, logLevel, Partitioners } from "kafkajs";
import { Pool } from "undici";
import type { Client } from "../support/client.ts";
import { eventually } from "../support/eventually.ts";
import type { Person } from "./people.ts";
import type { SystemUnderLoad } from "./system.ts";

export interface DeactivationResult {
  /** From just before the event was sent until the last instance refused the token; one for each deactivation. */
  readonly propagationsMs: readonly number[];
  /** Requests with a revoked token after its receipt said enforced, by the address that was asked. */
  readonly probes: ReadonlyMap<string, number>;
  readonly acceptedAfterEnforced: number;
}

type Deactivate = (person: Person) => Promise<void>;

const giveUpMs = 30_000;

/** Deactivates everybody at the given rate, alternately over HTTP and as an upstream system. */
export async function runDeactivations(
  system: SystemUnderLoad,
  context: {
    readonly people: readonly Person[];
    readonly perSecond: number;
    readonly admin: Client;
    readonly adminToken: string;
  },
): Promise<DeactivationResult> {
  const { people, perSecond, admin, adminToken } = context;
  const upstream = await connectUpstream(system);
  const overHttp: Deactivate = async ({ id }) => {
    const { status } = await admin.call(`/users/${id}/deactivate`, { method: "POST", token: adminToken });
    if (status !== 202) throw new Error(`deactivating answered ${status}`);
  };
  const targets = (system.instanceUrls.length > 0 ? system.instanceUrls : [system.entryUrl]).map((url) => ({
    url,
    pool: new Pool(url, { connections: 16 }),
  }));
  const propagationsMs: number[] = [];
  const probes = new Map(targets.map(({ url }) => [url, 0]));
  let acceptedAfterEnforced = 0;

  async function measure(person: Person, deactivate: Deactivate): Promise<void> {
    const startedAt = performance.now();
    const deactivated = deactivate(person);
    await Promise.all([deactivated, ...targets.map(({ pool }) => untilRefused(pool, person.token))]);
    propagationsMs.push(performance.now() - startedAt);
  }

  /** Once its receipt says enforced, no instance may accept the token any more. */
  async function probe({ token }: Person): Promise<void> {
    for (const { url, pool } of targets) {
      if ((await statusOf(pool, token)) === 200) acceptedAfterEnforced += 1;
      probes.set(url, (probes.get(url) ?? 0) + 1);
    }
  }

  const startedAt = performance.now();
  const underWay: Promise<void>[] = [];
  const failures: unknown[] = [];
  for (const [i, person] of people.entries()) {
    const waitMs = startedAt + (i * 1_000) / perSecond - performance.now();
    if (waitMs > 1) await delay(waitMs);
    if (failures.length > 0) break;
    const deactivate = upstream !== undefined && i % 2 === 0 ? upstream.deactivate : overHttp;
    underWay.push(measure(person, deactivate).catch((error: unknown) => void failures.push(error)));
  }
  await Promise.all(underWay);
  if (failures.length > 0) throw new AggregateError(failures, `deactivating failed: ${String(failures[0])}`);
  await untilAllEnforced(admin, { adminToken, subjects: new Set(people.map(({ id }) => id)) });
  for (const person of people) await probe(person);
  await upstream?.close();
  await Promise.all(targets.map(({ pool }) => pool.close()));
  return { propagationsMs, probes, acceptedAfterEnforced };
}

/** Reads the receipts from the newest on, until each of the subjects has one that is enforced. */
async function untilAllEnforced(
  admin: Client,
  { adminToken, subjects }: { readonly adminToken: string; readonly subjects: ReadonlySet<string> },
): Promise<void> {
  await eventually(
    async () => {
      const enforced = new Set<string>();
      for (let cursor = ""; enforced.size < subjects.size; ) {
        const { body } = await admin.call(`/revocations?limit=100${cursor}`, { token: adminToken });
        const receipts: Record<string, unknown>[] = Array.isArray(body["items"]) ? body["items"] : [];
        for (const { subject, status } of receipts) {
          if (status === "enforced" && subjects.has(String(subject))) enforced.add(String(subject));
        }
        if (typeof body["next_cursor"] !== "string") break;
        cursor = `&cursor=${body["next_cursor"]}`;
      }
      if (enforced.size < subjects.size) throw new Error(`${enforced.size} of ${subjects.size} are enforced`);
    },
    { timeoutMs: giveUpMs, intervalMs: 1_000 },
  );
}

async function untilRefused(pool: Pool, token: string): Promise<void> {
  const startedAt = performance.now();
  while ((await statusOf(pool, token)) !== 401) {
    const tookMs = performance.now() - startedAt;
    if (tookMs > giveUpMs) throw new Error(`a token was not refused within ${giveUpMs} ms`);
    // Off by a tenth at the most, and asking less the slower it goes: asking must not be what makes it slow.
    await delay(Math.min(100, 1 + tookMs / 10));
  }
}

async function statusOf(pool: Pool, token: string): Promise<number> {
  const answer = await pool.request({
    method: "GET",
    path: "/me",
    headers: { authorization: `Bearer ${token}` },
  });
  await answer.body.dump();
  return answer.statusCode;
}

async function connectUpstream({ kafka }: SystemUnderLoad) {
  if (kafka === undefined) return undefined;
  const producer = new Kafka({
    brokers: [...kafka.brokers],
    clientId: "load",
    logLevel: logLevel.NOTHING,
  }).producer({
    createPartitioner: Partitioners.DefaultPartitioner,
  });
  await producer.connect();
  const deactivate: Deactivate = async ({ id }) => {
    const event = {
      specversion: "1.0",
      id: randomUUID(),
      source: "/load",
      type: "user.deactivated",
      subject: id,
      time: new Date().toISOString(),
      datacontenttype: "application/json",
      data: { reason: "load test" },
    };
    const headers = { "content-type": "application/cloudevents+json" };
    const messages = [{ key: id, value: JSON.stringify(event), headers }];
    await producer.send({ topic: `${kafka.namespace}.user-events`, acks: -1, messages });
  };
  return { deactivate, close: () => producer.disconnect() };
}
