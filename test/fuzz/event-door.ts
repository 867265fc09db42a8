import { decodeEvent } from "../../shared/events/decode-event.ts";
import { ledgerIdOf } from "../../shared/events/event-id.ts";
import type { LoggedRecord } from "../../shared/ports/event-log.ts";
import { eventually } from "../support/eventually.ts";
import { createRandom, type Random, uuidFrom } from "../support/random.ts";
import { namespace } from "../support/test-api.ts";
import { type EventWorld, openEventWorld } from "./event-world.ts";
import { mutateContentType, mutateEvent, mutateText } from "./mutate-event.ts";

export interface EventDoorOptions {
  readonly seconds: number;
  readonly seed: number;
  readonly onProgress?: (line: string) => void;
}

export interface EventDoorReport {
  readonly door: "event";
  readonly seed: number;
  /** Over HTTP, and written into the log as whoever may write there does. */
  readonly inputs: { readonly http: number; readonly log: number };
  readonly applied: number;
  readonly duplicates: number;
  readonly dead_letters: number;
  readonly refused: number;
  /** Empty where every promise was kept; each names the round, which the seed replays. */
  readonly findings: readonly string[];
}

type Counts = {
  http: number;
  log: number;
  applied: number;
  duplicates: number;
  dead: number;
  refused: number;
};

const inputsInARound = 40;
const roundsInAWorld = 25;
const types = [
  "user.deactivated",
  "user.reactivated",
  "user.signed-out",
  "user.deleted",
  "credentials.changed",
];
const patience = { timeoutMs: 15_000, intervalMs: 10 };

/**
 * Sends events that are nearly right over HTTP and into the log, in rounds. After each: no answer of 5xx, none that
 * tells of the inside, none that did not come; each record ended as a row that is applied, or as a dead letter with its
 * reason; no partition stands still; whoever no event named is as he was.
 */
export async function runEventDoor(options: EventDoorOptions): Promise<EventDoorReport> {
  const { seconds, seed, onProgress = () => undefined } = options;
  const counts: Counts = { http: 0, log: 0, applied: 0, duplicates: 0, dead: 0, refused: 0 };
  const findings: string[] = [];
  const endsAtMs = performance.now() + seconds * 1_000;
  for (let at = 0; findings.length === 0 && (at === 0 || performance.now() < endsAtMs); at += 1) {
    const world = await openEventWorld();
    for (let round = 0; round < roundsInAWorld && performance.now() < endsAtMs; round += 1) {
      const random = createRandom(`event door ${seed} ${at} ${round}`);
      const found = await runRound(world, random, counts);
      findings.push(...found.map((what) => `world ${at}, round ${round}: ${what}`));
      if (findings.length > 0) break;
    }
    await world.close();
    onProgress(`${counts.http + counts.log} events, ${findings.length} findings`);
  }
  return {
    door: "event",
    seed,
    inputs: { http: counts.http, log: counts.log },
    applied: counts.applied,
    duplicates: counts.duplicates,
    dead_letters: counts.dead,
    refused: counts.refused,
    findings,
  };
}

async function runRound(world: EventWorld, random: Random, counts: Counts): Promise<string[]> {
  const findings: string[] = [];
  const before = world.position();
  for (let input = 0; input < inputsInARound; input += 1) {
    const event = eventFor(world, random);
    if (random.chance(0.5)) {
      counts.http += 1;
      findings.push(...(await sendOverHttp(world, { event, random, counts })));
    } else {
      counts.log += 1;
      await writeIntoLog(world, event, random);
    }
  }
  const isHandled = await eventually(() => Promise.resolve(world.requireHandled()), patience).then(
    () => true,
    () => false,
  );
  if (!isHandled) return [...findings, "a partition stands still"];
  return [...findings, ...(await judgeRecords(world, before, counts)), ...(await world.findHarmed())];
}

function eventFor(world: EventWorld, random: Random): Record<string, unknown> {
  const time = new Date(Date.now() - random.integer(0, 5_000)).toISOString();
  const type = random.chance(0.1) ? "token.revoked" : random.pick(types);
  const data = type === "token.revoked" ? { jti: uuidFrom(random) } : { reason: "fuzz" };
  // Some ids come again.
  const id = random.chance(0.2) ? `e${random.integer(0, 8)}` : uuidFrom(random);
  const source = random.pick(["/hr", "/hr", "https://idp.test/x", `/quash/${namespace}`]);
  const whole = source.startsWith("/quash") ? { ...data, epoch: random.integer(0, 9) } : data;
  return {
    specversion: "1.0",
    id,
    source,
    type,
    subject: random.pick(world.victims),
    time,
    datacontenttype: "application/json",
    data: whole,
  };
}

interface Sending {
  readonly event: Record<string, unknown>;
  readonly random: Random;
  readonly counts: Counts;
}

async function sendOverHttp(world: EventWorld, { event, random, counts }: Sending): Promise<string[]> {
  const mutated = random.chance(0.8) ? mutateEvent(event, random) : event;
  const answer = random.chance(0.3)
    ? await world.postBinary(mutated)
    : await world.post(bodyOf(mutated, random), mutateContentType("application/cloudevents+json", random));
  if (answer === null) return ["no answer to an event"];
  const shown = JSON.stringify(mutated)?.slice(0, 300);
  const { status, text, location } = answer;
  if (status >= 500) return [`${status} for ${shown}`];
  if (/\n\s+at |node_modules/.test(text)) return [`a stack trace for ${shown}`];
  if (status !== 202) {
    counts.refused += 1;
    return [400, 413, 415].includes(status) ? [] : [`${status} for ${shown}`];
  }
  return (await world.canReadReceipt(location)) ? [] : [`no receipt for ${shown}`];
}

async function writeIntoLog(
  world: EventWorld,
  event: Record<string, unknown>,
  random: Random,
): Promise<void> {
  const mutated = random.chance(0.8) ? mutateEvent(event, random) : event;
  const contentType = mutateContentType("application/cloudevents+json", random);
  const headers: Record<string, Uint8Array> = random.chance(0.8)
    ? { "content-type": Buffer.from(contentType) }
    : {};
  if (random.chance(0.1))
    headers[random.pick(["ce_id", "ce_", "__proto__", "dead_letter_reason"])] = random.bytes(8);
  const value = random.chance(0.02) ? null : bodyOf(mutated, random);
  await world.write({ key: random.chance(0.5) ? null : random.bytes(random.integer(0, 20)), value, headers });
}

function bodyOf(event: Record<string, unknown>, random: Random): Uint8Array {
  const text = JSON.stringify(event);
  return random.chance(0.2) ? mutateText(text, random) : Buffer.from(text);
}

/** The records since then: applied, a duplicate of one that is, or a dead letter that names its reason. */
async function judgeRecords(
  world: EventWorld,
  before: ReturnType<EventWorld["position"]>,
  counts: Counts,
): Promise<string[]> {
  const findings: string[] = [];
  const letters = world.lettersSince(before);
  const seen = new Set<string>();
  for (const record of world.recordsSince(before)) {
    const place = `${record.partition}:${record.offset}`;
    const reason = letters.get(place);
    if (reason !== undefined) {
      counts.dead += 1;
      if (reason === "internal-error") findings.push(`a fault of ours: ${valueOf(record)}`);
      continue;
    }
    const decoded = decodeEvent(record, { appendedAtMs: record.appendedAtMs, namespace });
    if (!decoded.ok) {
      findings.push(`neither applied nor a dead letter: ${valueOf(record)}`);
      continue;
    }
    const eventId = ledgerIdOf(decoded.event, namespace);
    const status = (await world.statusOf(eventId)) ?? "missing";
    if (status !== "applied" && status !== "enforced") findings.push(`${status}: ${valueOf(record)}`);
    if (seen.has(eventId)) counts.duplicates += 1;
    else counts.applied += 1;
    seen.add(eventId);
  }
  return findings;
}

function valueOf({ value }: LoggedRecord): string {
  return Buffer.from(value ?? [])
    .toString()
    .slice(0, 300);
}
