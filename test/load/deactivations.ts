import { randomUUID } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import { Kafka, logLevel, Partitioners } from "kafkajs";
import { ledgerIdOf } from "../../shared/events/event-id.ts";
import type { Person } from "./people.ts";
import { createProber, type Prober } from "./prober.ts";
import { type Administration, deactivateOverHttp, untilEnforced } from "./receipts.ts";
import { type Asker, createAsker } from "./refusal.ts";
import type { SystemUnderLoad } from "./system.ts";

export interface DeactivationResult {
  /** From just before the event was sent until the last instance refused the token; one for each deactivation. */
  readonly propagationsMs: readonly number[];
  /** How often each address was asked with a revoked token after its receipt said enforced. */
  readonly probes: ReadonlyMap<string, number>;
  readonly acceptedAfterEnforced: number;
}

export interface DeactivationPlan extends Administration {
  readonly people: readonly Person[];
  readonly perSecond: number;
  readonly instances: number;
}

/** Resolves once the receipt was seen to say enforced. */
type Deactivate = (person: Person) => Promise<void>;

/** Deactivates everybody at the given rate, alternately over HTTP and as an upstream system. */
export async function runDeactivations(
  system: SystemUnderLoad,
  plan: DeactivationPlan,
): Promise<DeactivationResult> {
  const upstream = await connectUpstream(system, plan);
  const ways = [upstream?.deactivate, (person: Person) => deactivateOverHttp(plan, person)];
  const asker = createAsker();
  const prober = createProber({ ...system, ...plan, asker });
  try {
    const propagationsMs = await deactivateAll(plan, {
      ways: ways.filter((way) => way !== undefined),
      measure: (person, deactivate) => measure({ system, asker, prober }, person, deactivate),
    });
    // What was refused once must stay refused.
    for (const { token } of plan.people) await prober.probe(token);
    return { propagationsMs, ...prober.result() };
  } finally {
    await upstream?.close();
    await asker.close();
  }
}

async function deactivateAll(
  { people, perSecond }: DeactivationPlan,
  {
    ways,
    measure: measureOne,
  }: {
    ways: readonly Deactivate[];
    measure: (person: Person, deactivate: Deactivate) => Promise<number>;
  },
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
    const measuring = measureOne(person, deactivate).then(
      (tookMs) => void propagationsMs.push(tookMs),
      (error: unknown) => void failures.push(error),
    );
    underWay.push(measuring);
  }
  await Promise.all(underWay);
  if (failures.length > 0) throw new AggregateError(failures, `deactivating failed: ${String(failures[0])}`);
  return propagationsMs;
}

async function measure(
  {
    system: { instanceUrls, entryUrl },
    asker,
    prober,
  }: { system: SystemUnderLoad; asker: Asker; prober: Prober },
  person: Person,
  deactivate: Deactivate,
): Promise<number> {
  const watches = await Promise.all(instanceUrls.map((url) => asker.watchRefusal(url, person.token)));
  const startedAt = performance.now();
  const refusals =
    watches.length > 0
      ? watches.map(({ refused }) => refused)
      : [asker.untilRefused(entryUrl, person.token, prober.asks)];
  const [propagationMs] = await Promise.all([
    Promise.all(refusals).then(() => performance.now() - startedAt),
    deactivate(person).then(() => prober.probe(person.token)),
  ]);
  return propagationMs;
}

async function connectUpstream({ kafka }: SystemUnderLoad, administration: Administration) {
  if (kafka === undefined) return undefined;
  const producer = new Kafka({
    brokers: [...kafka.brokers],
    clientId: "load",
    logLevel: logLevel.NOTHING,
  }).producer({ createPartitioner: Partitioners.DefaultPartitioner });
  await producer.connect();
  const deactivate: Deactivate = async (person) => {
    const { id } = person;
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
    await untilEnforced(administration, ledgerIdOf(event, kafka.namespace));
  };
  return { deactivate, close: () => producer.disconnect() };
}
