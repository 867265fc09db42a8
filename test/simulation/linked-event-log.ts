import type { InProcessEventLog, InProcessEventLogServer } from "../../shared/in-process/event-log.ts";
import type {
  Consumer,
  ConsumerOptions,
  EventLog,
  LostRecords,
  RecordBatch,
} from "../../shared/ports/event-log.ts";
import type { Link } from "./link.ts";
import { type OnEffect, overLink } from "./linked-port.ts";
import type { Scheduler } from "./scheduler.ts";

const heartbeatMs = 3_000;
/** A member that was not heard of for so long has its partitions taken away; it learns of it when it asks. */
const sessionMs = 10_000;
const fetchAgainMs = 2_000;

/** The event log as one life of a process sees it: a member of the group that may have been given up for dead. */
export function connectEventLog(
  server: InProcessEventLogServer,
  link: Link,
  { scheduler, onEffect }: { readonly scheduler: Scheduler; readonly onEffect: OnEffect },
): EventLog {
  const consumers: Consumer[] = [];
  return overLink<EventLog>(server.connect(), link, {
    onEffect,
    own: {
      startConsumer: async (options) => {
        const consumer = new LinkedConsumer(server, link, { scheduler, options });
        await consumer.join();
        consumers.push(consumer);
        return consumer;
      },
      close: async () => {
        for (const consumer of consumers) await consumer.close();
      },
    },
  });
}

/** One membership, as the broker has it. */
interface Seat {
  readonly membership: InProcessEventLog;
  readonly member: Consumer;
  heardAtMs: number;
}

class LinkedConsumer implements Consumer {
  readonly #server: InProcessEventLogServer;
  readonly #link: Link;
  readonly #scheduler: Scheduler;
  readonly #options: ConsumerOptions;
  readonly #life: number;
  readonly #inHand = new Set<Promise<void>>();
  /** Null once the broker has given it up. */
  #seat: Seat | null = null;
  #isClosed = false;
  /** Each membership of this consumer has a number: what belongs to an earlier one is stale. */
  #generation = 0;

  constructor(
    server: InProcessEventLogServer,
    link: Link,
    { scheduler, options }: { scheduler: Scheduler; options: ConsumerOptions },
  ) {
    this.#server = server;
    this.#link = link;
    this.#scheduler = scheduler;
    this.#options = options;
    this.#life = link.process.life;
  }

  hasJoined(): boolean {
    return this.#seat?.member.hasJoined() ?? false;
  }

  async join(): Promise<void> {
    this.#generation += 1;
    const generation = this.#generation;
    await this.#link.call(async () => {
      const membership = this.#server.connect();
      const member = await membership.startConsumer({
        onCrash: (error) => this.#options.onCrash(error),
        handleBatch: (batch) => this.#receive(batch, generation),
        handleLost: (lost) => this.#learnOfLoss(lost, generation),
      });
      const seat: Seat = { membership, member, heardAtMs: this.#scheduler.nowMs };
      // One that was asked for long ago, and comes now, is nobody's: it will not be heard of.
      if (generation === this.#generation) this.#seat = seat;
      this.#watch(seat);
    });
    this.#beat(generation);
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    await Promise.all(this.#inHand);
    await this.#link
      .call(async () => {
        if (this.#seat !== null) this.#expel(this.#seat);
      })
      .catch(() => undefined);
  }

  /** The broker's side: gives up a member that was not heard of. */
  #watch(seat: Seat): void {
    this.#scheduler.after(1_000, () => {
      if (this.#scheduler.nowMs - seat.heardAtMs > sessionMs) this.#expel(seat);
      else this.#watch(seat);
    });
  }

  #expel(seat: Seat): void {
    seat.heardAtMs = -Infinity;
    seat.membership.kill();
    if (this.#seat === seat) this.#seat = null;
  }

  /** The member's side: says that it lives, and joins again when it learns that it was given up. */
  #beat(generation: number): void {
    const { process } = this.#link;
    this.#scheduler.after(heartbeatMs, () =>
      process.deliver(this.#life, () => {
        if (this.#isClosed || generation !== this.#generation) return;
        void this.#contact().then(
          () => this.#beat(generation),
          () => (this.#seat === null ? this.#rejoin() : this.#beat(generation)),
        );
      }),
    );
  }

  async #rejoin(): Promise<void> {
    this.#generation += 1;
    // One batch of a partition at a time in one process: what it has in hand it drops or ends first.
    await Promise.all(this.#inHand);
    while (!this.#isClosed) {
      const joined = await this.join().then(
        () => true,
        () => false,
      );
      if (joined) return;
    }
  }

  #contact(): Promise<void> {
    return this.#link.call(async () => {
      if (this.#seat === null) throw new Error("not a member");
      this.#seat.heardAtMs = this.#scheduler.nowMs;
    });
  }

  #receive(batch: RecordBatch, generation: number): Promise<void> {
    return new Promise((resolve) => {
      let isTaken = false;
      // A fetch whose answer was lost is asked for again.
      this.#scheduler.after(fetchAgainMs, () => {
        if (!isTaken) resolve();
        isTaken = true;
      });
      this.#link.push(this.#life, () => {
        if (isTaken) return;
        isTaken = true;
        if (generation !== this.#generation || this.#isClosed) return resolve();
        const handled = this.#options.handleBatch(this.#local(batch, generation)).catch(() => undefined);
        const inHand = handled.then(() => this.#link.call(async () => resolve())).catch(() => resolve());
        this.#inHand.add(inHand);
        void inHand.then(() => this.#inHand.delete(inHand));
      });
    });
  }

  #learnOfLoss({ gaps }: LostRecords, generation: number): Promise<void> {
    const isStale = () => generation !== this.#generation || this.#isClosed;
    return new Promise((resolve, reject) => {
      let isTaken = false;
      this.#scheduler.after(fetchAgainMs, () => {
        if (!isTaken) reject(new Error("not heard"));
        isTaken = true;
      });
      this.#link.push(this.#life, () => {
        if (isTaken) return;
        isTaken = true;
        this.#options
          .handleLost({ gaps, isStale })
          .then(() => this.#link.call(async () => resolve()))
          .catch(reject);
      });
    });
  }

  /** What the member knows of the batch: that it lost the partition it learns from an answer only. */
  #local(batch: RecordBatch, generation: number): RecordBatch {
    let isKnownStale = false;
    const ask = (effect: () => Promise<void>) =>
      this.#link.call(async () => {
        if (this.#seat !== null) this.#seat.heardAtMs = this.#scheduler.nowMs;
        await effect();
      });
    return {
      partition: batch.partition,
      records: batch.records,
      isStale: () => isKnownStale || generation !== this.#generation || this.#isClosed,
      heartbeat: () =>
        ask(() => batch.heartbeat()).catch((error: unknown) => {
          isKnownStale = true;
          throw error;
        }),
      commit: (record) => ask(() => batch.commit(record)),
    };
  }
}
