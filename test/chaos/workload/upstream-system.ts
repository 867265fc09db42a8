import { randomUUID } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import type { Random } from "../../support/random.ts";
import { connectUpstream } from "../../support/upstream.ts";
import type { EventFaults } from "../faults/event-faults.ts";
import type { EntryOf, Outcome } from "../log-entry.ts";
import type { Recorder } from "../recorder.ts";

/** Another system that publishes to the topic, and does what such systems do: sends twice, and sends rubbish. */
export interface UpstreamSystem extends EventFaults {
  deactivate(user: string): Promise<Outcome>;
  close(): Promise<void>;
}

interface SentEvent {
  readonly id: string;
  readonly type: string;
  readonly subject: string;
  readonly time: string;
}

const patienceMs = 15_000;
const duplicatesAtOnce = 8;

export async function connectUpstreamSystem(
  place: { readonly kafkaBrokers: string; readonly namespace: string },
  { recorder, random }: { readonly recorder: Recorder; readonly random: Random },
): Promise<UpstreamSystem> {
  const upstream = await connectUpstream(place.kafkaBrokers, place.namespace);
  const acknowledged: SentEvent[] = [];

  async function timed(
    send: () => Promise<unknown>,
  ): Promise<Pick<EntryOf<"poison">, "sent" | "done" | "outcome">> {
    const sent = Date.now();
    const patience = new AbortController();
    const wasTaken = await Promise.race([
      send().then(
        () => true,
        () => false,
      ),
      delay(patienceMs, false, { signal: patience.signal }).catch(() => false),
    ]);
    patience.abort();
    return { sent, done: Date.now(), outcome: wasTaken ? "accepted" : "unknown" };
  }

  return {
    async deactivate(user) {
      const event = {
        id: randomUUID(),
        type: "user.deactivated",
        subject: user,
        time: new Date().toISOString(),
      };
      const { sent, done, outcome } = await timed(() =>
        random.fraction() < 0.5 ? upstream.publish(event) : upstream.publishBinary(event),
      );
      if (outcome === "accepted") acknowledged.push(event);
      recorder.note({ op: "revoke", way: "upstream", sent, done, user, outcome, source_event: event.id });
      return outcome;
    },
    async duplicate() {
      const again = random.shuffled(acknowledged.slice(-40)).slice(0, duplicatesAtOnce);
      await Promise.all(again.map((event) => timed(() => upstream.publish(event))));
    },
    async poison() {
      await Promise.all(
        poisons(randomUUID).map(async ({ marker, value, headers }) => {
          recorder.note({
            op: "poison",
            marker,
            ...(await timed(() => upstream.publishRaw(value, headers))),
          });
        }),
      );
    },
    close: () => upstream.close(),
  };
}

/** Each carries its marker in what a dead letter keeps. */
function poisons(newMarker: () => string) {
  const json = { "content-type": "application/cloudevents+json" };
  const event = (changes: Record<string, unknown>) => {
    const marker = newMarker();
    const whole = {
      specversion: "1.0",
      id: marker,
      source: "/hr",
      type: "user.deactivated",
      subject: "nobody",
      time: new Date().toISOString(),
      ...changes,
    };
    return { marker, value: JSON.stringify(whole), headers: json };
  };
  const noJson = newMarker();
  const noEvent = newMarker();
  const binary = newMarker();
  return [
    { marker: noJson, value: `{"cut off": "${noJson}`, headers: json },
    { marker: noEvent, value: JSON.stringify([noEvent]), headers: json },
    { marker: binary, value: binary, headers: { "content-type": "text/plain", ce_id: binary } },
    event({ type: "user.promoted" }),
    event({ specversion: "0.3" }),
    event({ time: "yesterday" }),
    event({ subject: 7 }),
    event({ filler: "x".repeat(300_000) }),
  ];
}
