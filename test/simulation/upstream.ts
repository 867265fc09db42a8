import type { EventType } from "../../shared/events/event.ts";
import { ledgerIdOf } from "../../shared/events/event-id.ts";
import type { EventRecord } from "../../shared/ports/event-log.ts";
import { type Random, uuidFrom } from "../support/random.ts";
import type { Killer } from "./history.ts";
import { identityProvider, namespace, personAt } from "./people.ts";
import type { ClientAction } from "./plan.ts";
import type { World } from "./world.ts";

const types = [
  "user.deactivated",
  "user.deactivated",
  "user.reactivated",
  "user.reactivated",
  "user.signed-out",
  "credentials.changed",
  "user.deleted",
  "token.revoked",
] as const satisfies readonly EventType[];

const poisons: readonly ((id: string) => EventRecord)[] = [
  (id) => recordOf(`not JSON ${id}`),
  (id) => recordOf(JSON.stringify({ id, specversion: "1.0" })),
  (id) => recordOf(JSON.stringify({ ...envelope(id), type: "user.promoted" })),
  (id) => recordOf(JSON.stringify({ ...envelope(id), time: "1970-01-01T00:00:00Z" })),
  (id) => recordOf(JSON.stringify({ ...envelope(id), data: { jti: 7 } })),
];

/** Other systems that publish: in any order, more than once, under any key, by their own clocks. */
export class Upstream {
  readonly #world: World;
  readonly #published: EventRecord[] = [];
  /** By user: other events of the same moment make ties. */
  readonly #times = new Map<string, EventTime[]>();

  constructor(world: World) {
    this.#world = world;
  }

  async act(
    action: Extract<ClientAction, "publish" | "publish-again" | "publish-poison">,
    user: string,
    random: Random,
  ): Promise<void> {
    if (action === "publish") await this.#publish(user, random);
    if (action === "publish-again" && this.#published.length > 0) {
      await this.#append(random.pick(this.#published));
      this.#world.trace("an event is published again");
    }
    if (action === "publish-poison") {
      const id = uuidFrom(random);
      await this.#append(random.pick(poisons)(id));
      this.#world.poisons.set(id, this.#world.nowMs);
      this.#world.trace(`poison ${id}`);
    }
  }

  async #publish(user: string, random: Random): Promise<void> {
    const type = random.pick(types);
    const { history, nowMs, logServer } = this.#world;
    const ofUser = history.tokens.filter((token) => token.user === user);
    if (type === "token.revoked" && ofUser.length === 0) return;
    const jti = type === "token.revoked" ? random.pick(ofUser).jti : undefined;
    const appendedAtMs = logServer.clock.wallMs();
    const { text, timeMs } = this.#drawTime(user, appendedAtMs, random);
    const isExternal = random.chance(0.2) && jti === undefined;
    const external = { iss: identityProvider, sub: personAt(this.#world.userIds.indexOf(user)) };
    const event = {
      ...envelope(uuidFrom(random)),
      type,
      time: text,
      ...(isExternal ? {} : { subject: user }),
      data: {
        // Counts in our own events only.
        ...(random.chance(0.2) ? { epoch: 9 } : {}),
        ...(isExternal ? { external } : {}),
        ...(jti === undefined ? {} : { jti }),
      },
    };
    const record = recordOf(JSON.stringify(event), random.pick([user, null, "somebody else"]));
    await this.#append(record);
    this.#published.push(record);
    this.#world.trace(`${type} of user ${user} is published, time ${text}`);
    const eventId = ledgerIdOf({ id: event.id, source: event.source }, namespace);
    if (type === "user.reactivated") {
      history.reactivations.push({ user, sentAtMs: nowMs, ackAtMs: Infinity, eventId });
      return;
    }
    const effectiveAtMs = Math.min(timeMs, appendedAtMs);
    const by: Killer["by"] = jti === undefined ? { kind: "upstream", effectiveAtMs } : { kind: "token", jti };
    history.killers.push({ user, by, sentAtMs: nowMs, ackAtMs: nowMs, eventId, isPublished: true });
  }

  #drawTime(user: string, nowMs: number, random: Random): EventTime {
    const earlier = this.#times.get(user) ?? [];
    const time = earlier.length > 0 && random.chance(0.15) ? random.pick(earlier) : drawTime(nowMs, random);
    this.#times.set(user, [...earlier, time]);
    return time;
  }

  async #append(record: EventRecord): Promise<void> {
    await this.#world.log.connect().publish("events", [record]);
  }
}

interface EventTime {
  readonly text: string;
  readonly timeMs: number;
}

function drawTime(nowMs: number, random: Random): EventTime {
  const ageMs = random.pick([
    0,
    0,
    random.integer(0, 1_500),
    random.integer(0, 10_000),
    random.chance(0.3) ? random.integer(0, 3_600_000) : 0,
    -random.integer(0, 60_000),
  ]);
  const timeMs = Math.floor(nowMs - ageMs);
  const text = new Date(timeMs).toISOString();
  // One without a fraction stands for the end of its second.
  if (random.chance(0.3))
    return { text: `${text.slice(0, 19)}Z`, timeMs: Math.floor(timeMs / 1_000) * 1_000 + 999 };
  return { text, timeMs };
}

function envelope(id: string) {
  return {
    specversion: "1.0",
    id,
    source: "/hr",
    type: "user.deactivated",
    datacontenttype: "application/json",
  };
}

function recordOf(value: string, key: string | null = null): EventRecord {
  return {
    key,
    value: new TextEncoder().encode(value),
    headers: { "content-type": "application/cloudevents+json" },
  };
}
