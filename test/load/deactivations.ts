import { randomUUID } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import { Kafka, logLevel, Partitioners } from "kafkajs";
import type { Client } from "../support/client.ts";
import { eventually } from "../support/eventually.ts";
import type { Person } from "./people.ts";
import { requireNotHeld } from "./receipts.ts";
import { closeConnections, statusOf, untilRefused, watchRefusal } from "./refusal.ts";
import type { SystemUnderLoad } from "./system.ts";

export interface DeactivationResult {
  /** From just before the event was sent until the last instance refused the token; one for each deactivation. */
  readonly propagationsMs: readonly number[];
  /** Requests with a revoked token after its receipt said enforced, by the address that was asked. */
  readonly probes: ReadonlyMap<string, number>;
  readonly acceptedAfterEnforced: number;
}

export interface DeactivationPlan {
  readonly people: readonly Person[];
  readonly perSecond: number;
  readonly admin: Client;
  readonly adminToken: string;
}

type Deactivate = (person: Person) => Promise<void>;

const enforcedWithinMs = 30_000;

/** Deactivates everybody at the given rate, alternately over HTTP and as an upstream system. */
export async function runDeactivations(
  system: SystemUnderLoad,
  plan: DeactivationPlan,
): Promise<DeactivationResult> {
  const upstream = await connectUpstream(system);
  const ways = [upstream?.deactivate, overHttp(plan)].filter((way) => way !== undefined);
  try {
    const propagationsMs = await deactivateAll(system, plan, ways);
    await untilAllEnforced(plan);
    return { propagationsMs, ...(await probe(system, plan.people)) };
  } finally {
    await upstream?.close();
    await closeConnections();
  }
}

async function deactivateAll(
  system: SystemUnderLoad,
  { people, perSecond }: DeactivationPlan,
  ways: readonly Deactivate[],
): Promise<number[]> {
  const propagationsMs: number[] = [];
  const failures: unknown[] = [];
  const startedAt = performance.now();
  const underWay: Promise<void>[] = [];
  for (const [i, person] of people.entries()) {
    const waitMs = startedAt + (i * 1_000) / perSecond - performance.now();
    if (waitMs > 1) await delay(waitMs);
    const deactivate = ways[i % ways.length];
    if (failures.length > 0 || deactivate === undefined) break;
    const measuring = measure(system, person, deactivate).then(
      (tookMs) => void propagationsMs.push(tookMs),
      (error: unknown) => void failures.push(error),
    );
    underWay.push(measuring);
  }
  await Promise.all(underWay);
  if (failures.length > 0) throw new AggregateError(failures, `deactivating failed: ${String(failures[0])}`);
  return propagationsMs;
}

async function measure({ instanceUrls, entryUrl }: SystemUnderLoad, person: Person, deactivate: Deactivate) {
  const watches = await Promise.all(instanceUrls.map((url) => watchRefusal(url, person.token)));
  const startedAt = performance.now();
  const refusals =
    watches.length > 0 ? watches.map(({ refused }) => refused) : [untilRefused(entryUrl, person.token)];
  await Promise.all([deactivate(person), ...refusals]);
  return performance.now() - startedAt;
}

/** Once its receipt says enforced, no instance may accept a token any more. */
async function probe({ instanceUrls, entryUrl }: SystemUnderLoad, people: readonly Person[]) {
  const urls = instanceUrls.length > 0 ? instanceUrls : [entryUrl];
  const probes = new Map(urls.map((url) => [url, 0]));
  let acceptedAfterEnforced = 0;
  for (const { token } of people) {
    for (const url of urls) {
      if ((await statusOf(url, token)) === 200) acceptedAfterEnforced += 1;
      probes.set(url, (probes.get(url) ?? 0) + 1);
    }
  }
  return { probes, acceptedAfterEnforced };
}

/** Reads the receipts from the newest on, until each user has one that is enforced. */
async function untilAllEnforced({ people, admin, adminToken }: DeactivationPlan): Promise<void> {
  const subjects = new Set(people.map(({ id }) => id));
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
    { timeoutMs: enforcedWithinMs, intervalMs: 1_000 },
  );
}

function overHttp({ admin, adminToken }: DeactivationPlan): Deactivate {
  return async ({ id }) => {
    const deactivation = await admin.call(`/users/${id}/deactivate`, { method: "POST", token: adminToken });
    const { status, body } = deactivation;
    requireNotHeld(body);
    if (status !== 202) throw new Error(`deactivating answered ${status}`);
  };
}

async function connectUpstream({ kafka }: SystemUnderLoad) {
  if (kafka === undefined) return undefined;
  const producer = new Kafka({
    brokers: [...kafka.brokers],
    clientId: "load",
    logLevel: logLevel.NOTHING,
  }).producer({ createPartitioner: Partitioners.DefaultPartitioner });
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
