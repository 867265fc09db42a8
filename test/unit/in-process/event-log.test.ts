import { expect } from "chai";
import { beforeEach, describe, it } from "mocha";
import { AppError } from "../../../shared/errors.ts";
import { InProcessEventLogServer } from "../../../shared/in-process/event-log.ts";
import type { ConsumerOptions, EventRecord, RecordBatch } from "../../../shared/ports/event-log.ts";
import { createManualPlatform, type ManualPlatform } from "../../support/manual-clock.ts";

describe("InProcessEventLogServer", () => {
  let platform: ManualPlatform;
  let server: InProcessEventLogServer;

  beforeEach(() => {
    platform = createManualPlatform();
    server = new InProcessEventLogServer(platform);
  });

  it("delivers without letting time pass", async () => {
    const seen = await collect(server);
    await server.connect().publish("events", [record("user", 1)]);
    await platform.settle();
    expect(seen).to.deep.equal([1]);
    expect(server.lag).to.equal(0);
  });

  it("stamps each record with the append time", async () => {
    await server.connect().publish("dead-letters", [record("user", 1)]);
    expect(server.read("dead-letters")[0]?.appendedAtMs).to.equal(platform.clock.wallMs());
  });

  it("takes nothing and delivers nothing while it is away, and goes on when it is back", async () => {
    const log = server.connect();
    await log.publish("events", [record("user", 1)]);
    server.setAvailable(false);
    const error = await log.publish("events", [record("user", 2)]).catch((e: unknown) => e);
    expect(error).to.be.instanceOf(AppError).and.have.property("code", "dependency-unavailable");
    server.setAvailable(true);
    const seen = await collect(server);
    await platform.settle();
    expect(seen).to.deep.equal([1]);
  });

  it("delivers again what a process had in hand when it was killed, and takes no commit of it", async () => {
    const dying = server.connect();
    const held: RecordBatch[] = [];
    await dying.startConsumer(handler((batch) => (held.push(batch), new Promise<void>(() => undefined))));
    await dying.publish("events", [record("user", 1)]);
    await platform.settle();
    dying.kill();
    const seen = await collect(server);
    await platform.settle();
    expect(seen).to.deep.equal([1]);
    expect(held[0]?.isStale()).to.equal(true);
    const error = await commitAll(held[0]).catch((e: unknown) => e);
    expect(error).to.have.property("code", "dependency-unavailable");
  });

  it("waits before it delivers a refused batch again, longer each time", async () => {
    const attemptsAt: number[] = [];
    await server.connect().startConsumer(
      handler(async () => {
        attemptsAt.push(platform.clock.monotonicMs());
        throw new Error("no");
      }),
    );
    await server.connect().publish("events", [record("user", 1)]);
    await platform.advance(3400);
    const waits = attemptsAt.slice(1).map((at, n) => at - (attemptsAt[n] ?? 0));
    expect(waits).to.deep.equal([100, 200, 400, 800, 1000]);
  });

  it("closes at once while a batch waits to be delivered again", async () => {
    const log = server.connect();
    await log.startConsumer(handler(() => Promise.reject(new Error("no"))));
    await log.publish("events", [record("user", 1)]);
    await platform.settle();
    await log.close();
    expect(server.lag).to.equal(1);
  });
});

async function collect(server: InProcessEventLogServer): Promise<number[]> {
  const seen: number[] = [];
  await server.connect().startConsumer(
    handler(async (batch) => {
      seen.push(...batch.records.map(({ value }) => value?.[0] ?? -1));
      await commitAll(batch);
    }),
  );
  return seen;
}

function handler(handleBatch: ConsumerOptions["handleBatch"]): ConsumerOptions {
  return { handleBatch, handleLost: async () => undefined, onCrash: () => undefined };
}

async function commitAll(batch: RecordBatch | undefined): Promise<void> {
  const last = batch?.records.at(-1);
  if (last) await batch?.commit(last);
}

function record(key: string, n: number): EventRecord {
  return { key, value: Uint8Array.of(n), headers: {} };
}
