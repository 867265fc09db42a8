import { decodeEvent } from "../../../../shared/events/decode-event.ts";
import { ledgerIdOf } from "../../../../shared/events/event-id.ts";
import type { LoggedRecord } from "../../../../shared/ports/event-log.ts";
import { eventually } from "../../../support/eventually.ts";
import { type Random, uuidFrom } from "../../../support/random.ts";
import { namespace } from "../../../support/test-api.ts";
import type { FuzzDoor, OpenDoor } from "../../door.ts";
import { type EventWorld, openEventWorld } from "./event-world.ts";
import { mutateContentType, mutateEvent, mutateText } from "./mutate-event.ts";

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

export const eventDoor: FuzzDoor = {
  name: "event",
  about: "events that are nearly right, over HTTP and into the log",
  // Who judges a round looks at all that happened meanwhile.
  atOnce: 1,
  hangMs: 60_000,
  open: openEventDoor,
};

/**
 * An attempt is a round of events. After each: no answer of 5xx, none that tells of the inside, none that did not come;
 * each record ended as a row that is applied, or as a dead letter with its reason; no partition stands still; whoever no
 * event named is as he was. After some rounds it goes on in a new world, so that what is remembered stays small.
 */
async function openEventDoor(): Promise<OpenDoor> {
  let world = await openEventWorld();
  let rounds = 0;

  async function worldOfRound(): Promise<EventWorld> {
    rounds += 1;
    if (rounds % roundsInAWorld !== 0) return world;
    await world.close();
    world = await openEventWorld();
    return world;
  }

  return {
    async attempt(random) {
      const outcomes: string[] = [];
      const findings = await runRound(await worldOfRound(), random, outcomes);
      const [what] = findings;
      return { outcomes, ...(what !== undefined && { finding: { what, input: findings.join("\n  ") } }) };
    },
    isWell: async () => (await world.findHarmed()).length === 0,
    close: () => world.close(),
  };
}

async function runRound(world: EventWorld, random: Random, outcomes: string[]): Promise<string[]> {
  const findings: string[] = [];
  const before = world.position();
  for (let input = 0; input < inputsInARound; input += 1) {
    const event = eventFor(world, random);
    if (random.chance(0.5)) {
      findings.push(...(await sendOverHttp(world, { event, random, outcomes })));
    } else {
      await writeIntoLog(world, event, random);
    }
  }
  const isHandled = await eventually(() => Promise.resolve(world.requireHandled()), patience).then(
    () => true,
    () => false,
  );
  if (!isHandled) return [...findings, "a partition stands still"];
  return [...findings, ...(await judgeRecords(world, before, outcomes)), ...(await world.findHarmed())];
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
  readonly outcomes: string[];
}

async function sendOverHttp(world: EventWorld, { event, random, outcomes }: Sending): Promise<string[]> {
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
    outcomes.push(`over HTTP: ${status}`);
    return [400, 413, 415, 422].includes(status) ? [] : [`${status} for ${shown}`];
  }
  outcomes.push("over HTTP: 202");
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
  outcomes: string[],
): Promise<string[]> {
  const findings: string[] = [];
  const letters = world.lettersSince(before);
  const seen = new Set<string>();
  for (const record of world.recordsSince(before)) {
    const place = `${record.partition}:${record.offset}`;
    const reason = letters.get(place);
    if (reason !== undefined) {
      outcomes.push(`dead letter: ${reason}`);
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
    outcomes.push(seen.has(eventId) ? "duplicate" : "applied");
    seen.add(eventId);
  }
  return findings;
}

function valueOf({ value }: LoggedRecord): string {
  return Buffer.from(value ?? [])
    .toString()
    .slice(0, 300);
}
