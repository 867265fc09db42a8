import type { EventRecord, LoggedRecord } from "../../../../shared/ports/event-log.ts";
import type { User } from "../../../../shared/ports/user-store.ts";
import { createApiWorld } from "../../../support/test-api.ts";

export type EventWorld = Awaited<ReturnType<typeof openEventWorld>>;

const password = "long enough";
const answerWithinMs = 10_000;
const people = { victims: 12, bystanders: 3 } as const;

/** The real API and worker in this process, with people whom events name, and people whom none does. */
export async function openEventWorld() {
  const world = await createApiWorld({ settings: { HOLD_ABOVE_USERS_PER_MINUTE: 0 } });
  await world.startWorker();
  const api = await world.startApi();
  const admin = await api.signIn();
  const emitter = await api.createUser(admin, { email: "emitter@example.com", password, roles: ["emitter"] });
  const token = await api.signIn("emitter@example.com", password);
  const { users, ledger } = world.databaseServer.connect();
  const log = world.logServer.connect();

  const emails = (kind: keyof typeof people) =>
    Array.from({ length: people[kind] }, (_, at) => `${kind}-${at}@example.com`);
  const create = (kind: keyof typeof people) =>
    Promise.all(emails(kind).map((email) => api.createUser(admin, { email, password })));
  const victims = await create("victims");
  const bystanders = [...(await create("bystanders")), emitter];
  const theirTokens = await Promise.all(emails("bystanders").map((email) => api.signIn(email, password)));
  const asTheyWere = await readAll(bystanders);

  async function readAll(ids: readonly string[]): Promise<(User | null)[]> {
    return Promise.all(ids.map((id) => users.findById(id)));
  }

  /** Null where no answer came. */
  async function send(headers: Record<string, string>, body?: Uint8Array) {
    const signal = AbortSignal.timeout(answerWithinMs);
    try {
      const answer = await fetch(`${api.url}/events`, {
        method: "POST",
        headers: { authorization: `Bearer ${token}`, ...headers },
        signal,
        ...(body === undefined ? {} : { body: Buffer.from(body) }),
      });
      return { status: answer.status, text: await answer.text(), location: answer.headers.get("location") };
    } catch (error) {
      if (signal.aborted) return null;
      throw error;
    }
  }

  return {
    victims,
    post: (body: Uint8Array, contentType: string) => send({ "content-type": contentType }, body),
    /** The attributes that a header can carry, as they are; others percent-encoded, as the binding has it. */
    postBinary(event: Record<string, unknown>) {
      const { data, datacontenttype, ...attributes } = event;
      const headers: Record<string, string> = {};
      for (const [name, value] of Object.entries(attributes)) {
        const text = typeof value === "string" ? value : JSON.stringify(value);
        if (text === undefined || text.length > 2_000) continue;
        headers[`ce-${name}`] = /^[\x21-\x7e]*$/.test(text)
          ? text
          : encodeURIComponent(Buffer.from(text).toString());
      }
      if (data === undefined) return send(headers);
      const type = typeof datacontenttype === "string" && /^[\x21-\x7e]+$/.test(datacontenttype);
      return send(
        { ...headers, "content-type": type ? datacontenttype : "application/json" },
        Buffer.from(JSON.stringify(data)),
      );
    },
    write: (record: EventRecord) => log.publish("events", [record]),
    async canReadReceipt(location: string | null): Promise<boolean> {
      return location !== null && (await api.call(location, { token: admin })).status === 200;
    },
    requireHandled(): void {
      if (world.logServer.lag > 0) throw new Error(`${world.logServer.lag} records wait`);
    },
    position: () => ({
      events: new Set(world.logServer.read("events").map(placeOf)),
      letters: new Set(world.logServer.read("dead-letters").map(placeOf)),
    }),
    recordsSince: ({ events }: Places) => newest("events", events),
    /** Reasons, by the place of the record. */
    lettersSince({ letters }: Places): Map<string, string> {
      return new Map(
        newest("dead-letters", letters).map((letter) => [
          `${headerOf(letter, "partition")}:${headerOf(letter, "offset")}`,
          headerOf(letter, "reason"),
        ]),
      );
    },
    statusOf: async (eventId: string) => (await ledger.find(eventId))?.status,
    /** Those whom no event named, the emitter and the administrator: nobody may have changed them. */
    async findHarmed(): Promise<string[]> {
      const statuses = await Promise.all([...theirTokens, admin].map((one) => api.statusOf(one)));
      const now = await readAll(bystanders);
      return [
        ...statuses.filter((status) => status !== 200).map((status) => `an innocent is answered ${status}`),
        ...(JSON.stringify(now) === JSON.stringify(asTheyWere) ? [] : ["an innocent was changed"]),
      ];
    },
    close: () => world.close(),
  };

  function newest(topic: "events" | "dead-letters", known: ReadonlySet<string>): LoggedRecord[] {
    return world.logServer.read(topic).filter((record) => !known.has(placeOf(record)));
  }
}

interface Places {
  readonly events: ReadonlySet<string>;
  readonly letters: ReadonlySet<string>;
}

function placeOf({ partition, offset }: LoggedRecord): string {
  return `${partition}:${offset}`;
}

function headerOf({ headers }: LoggedRecord, name: string): string {
  const value = headers[`dead_letter_${name}`];
  return value instanceof Uint8Array ? Buffer.from(value).toString() : "";
}
