import { createHash } from "node:crypto";
import { dependencyUnavailable } from "../errors.ts";
import { type Log, silentLog } from "../log.ts";
import type {
  Consumer,
  ConsumerOptions,
  EventLog,
  EventRecord,
  LoggedRecord,
  ReadTopic,
  TakeRecords,
  Topic,
} from "../ports/event-log.ts";
import type { Clock, Timers } from "../ports/platform.ts";
import { LogPartition } from "./log-partition.ts";

export interface InProcessEventLogOptions {
  readonly clock: Clock;
  readonly timers: Timers;
  readonly log?: Log;
  readonly namespace?: string;
}

export interface InProcessEventLog extends EventLog {
  /** As a process that died: leaves the group at once, and what it was at counts for nothing. */
  kill(): void;
}

const partitionCount = 6;

export function createInProcessEventLog(options: InProcessEventLogOptions): InProcessEventLog {
  return new InProcessEventLogServer(options).connect();
}

/** What a Kafka cluster is to its clients: the topics, and the group of workers that reads the events. */
export class InProcessEventLogServer {
  readonly #clock: Clock;
  readonly #topics: Readonly<Record<Topic, readonly LogPartition[]>>;
  /** Those that were made, or written to. */
  readonly #existing = new Set<Topic>();
  readonly #namespace: string;
  #members: Member[] = [];
  #isAvailable = true;
  #unkeyed = 0;

  constructor({ clock, timers, log = silentLog, namespace = "quash" }: InProcessEventLogOptions) {
    this.#clock = clock;
    this.#namespace = namespace;
    const deps = {
      timers,
      log,
      isAvailable: () => this.#isAvailable,
      isGroupKnown: () => this.#topics.events.some(({ hasCommit }) => hasCommit),
    };
    const create = (topic: string) =>
      Array.from({ length: partitionCount }, (_, partition) => new LogPartition(topic, partition, deps));
    this.#topics = {
      events: create(this.#nameOf("events")),
      "dead-letters": create(this.#nameOf("dead-letters")),
    };
  }

  /** As the connection of one process. */
  connect(): InProcessEventLog {
    const members: Member[] = [];
    return {
      ensureTopics: async () => {
        this.#requireAvailable();
        this.#existing.add("events").add("dead-letters");
      },
      publish: async (topic, records) => this.#publish(topic, records),
      startConsumer: async (options) => {
        const member = this.#join(options);
        members.push(member);
        return member;
      },
      readAll: (topic, take) => this.#readAll(topic, take),
      readLag: async () => {
        this.#requireAvailable();
        return this.#topics.events.map((partition) => partition.lagOfGroup);
      },
      close: async () => void (await Promise.all(members.map((member) => member.close()))),
      kill: () => {
        for (const member of members) this.#remove(member);
        for (const { abandon } of members) abandon();
      },
    };
  }

  /** While it is away each call rejects, and nothing is delivered. */
  setAvailable(isAvailable: boolean): void {
    this.#isAvailable = isAvailable;
    for (const partition of this.#topics.events) partition.pump();
  }

  /** What retention does, to the events. */
  deleteEventsBefore(appendedAtMs: number): void {
    for (const partition of this.#topics.events) partition.deleteBefore(appendedAtMs);
  }

  /** As with a broker that alone had the last event of each partition. */
  loseTheEnd(): void {
    for (const partition of this.#topics.events) partition.loseTheEnd();
  }

  /** What stands in the topic, partition by partition. */
  read(topic: Topic): readonly LoggedRecord[] {
    return this.#topics[topic].flatMap((partition) => partition.records);
  }

  /** How many events the group has not committed yet. */
  get lag(): number {
    return this.#topics.events.reduce((sum, partition) => sum + partition.lag, 0);
  }

  #publish(topic: Topic, records: readonly EventRecord[]): void {
    this.#requireAvailable();
    this.#existing.add(topic);
    const appendedAtMs = this.#clock.wallMs();
    for (const record of records) this.#partitionOf(topic, record.key).append(record, appendedAtMs);
    for (const partition of this.#topics[topic]) partition.pump();
  }

  async #readAll(topic: Topic, take: TakeRecords): Promise<ReadTopic> {
    this.#requireAvailable();
    for (const records of this.#topics[topic].map((partition) => [...partition.records])) {
      if (records.length > 0) await take(records);
    }
    return { name: this.#nameOf(topic), exists: this.#existing.has(topic) };
  }

  #nameOf(topic: Topic): string {
    return `${this.#namespace}.user-events${topic === "events" ? "" : ".dead-letter"}`;
  }

  #partitionOf(topic: Topic, key: EventRecord["key"]): LogPartition {
    const index = key === null ? this.#unkeyed++ : createHash("sha1").update(key).digest().readUInt32BE();
    const partition = this.#topics[topic][index % partitionCount];
    if (partition === undefined) throw new RangeError(`no partition ${index}`);
    return partition;
  }

  #join(options: ConsumerOptions): Member {
    this.#requireAvailable();
    const member: Member = {
      options,
      hasJoined: () => this.#isAvailable && this.#members.includes(member),
      close: async () => {
        const handled = this.#topics.events.map((partition) => partition.settled(options));
        if (this.#remove(member)) options.onMembership?.(false);
        await Promise.all(handled);
      },
      abandon: () => {
        for (const partition of this.#topics.events) partition.abandon(options);
      },
    };
    this.#members = [...this.#members, member];
    this.#rebalance(member);
    return member;
  }

  #remove(member: Member): boolean {
    if (!this.#members.includes(member)) return false;
    this.#members = this.#members.filter((other) => other !== member);
    this.#rebalance();
    return true;
  }

  /** The whole group stands still for it. */
  #rebalance(joining?: Member): void {
    for (const member of this.#members) if (member !== joining) member.options.onMembership?.(false);
    for (const [index, partition] of this.#topics.events.entries()) {
      partition.assign(this.#members[index % this.#members.length]?.options ?? null);
    }
    for (const { options } of this.#members) options.onMembership?.(true);
  }

  #requireAvailable(): void {
    if (!this.#isAvailable) throw dependencyUnavailable("kafka", new Error("switched off"));
  }
}

interface Member extends Consumer {
  readonly options: ConsumerOptions;
  readonly abandon: () => void;
}
