import { expect } from "chai";
import { after, afterEach, before, beforeEach, describe, it } from "mocha";
import { connectMongo } from "../../shared/mongo/database.ts";
import { createPlatform } from "../../shared/platform.ts";
import type { Database } from "../../shared/ports/database.ts";
import { dropMongoDatabase } from "../support/drop-mongo-database.ts";
import { eventually } from "../support/eventually.ts";
import { expectError } from "../support/expect-error.ts";
import { createRecordingLog } from "../support/own-redis.ts";
import { describeWithServices, freshNamespace } from "../support/services.ts";
import { startTcpProxy, type TcpProxy } from "../support/tcp-proxy.ts";

const withinMs = 2_500;

const calls: readonly [string, (database: Database) => Promise<unknown>][] = [
  ["finding a user", ({ users }) => users.findById("u1")],
  ["listing users", ({ users }) => users.list({ limit: 5 })],
  ["ending a session", ({ sessions }) => sessions.endSession("s1", 1_000)],
  ["listing revocations", ({ ledger }) => ledger.list({ limit: 5 })],
  ["reading the fence", ({ ledger }) => ledger.readFence()],
  ["writing the fence", ({ ledger }) => ledger.writeFence("first")],
];

async function expectAway(database: Database): Promise<void> {
  const startedAt = performance.now();
  await Promise.all(calls.map(([, call]) => expectError("dependency-unavailable", () => call(database))));
  expect(await database.ping()).to.equal(false);
  expect(performance.now() - startedAt).to.be.below(2 * withinMs);
}

describe("MongoDB, where nobody listens", () => {
  let proxy: TcpProxy;
  let database: Database;
  const log = createRecordingLog();

  before(async () => {
    proxy = await startTcpProxy({ host: "127.0.0.1", port: 9 });
    proxy.cut();
    const url = `mongodb://127.0.0.1:${proxy.port}`;
    database = await connectMongo({ url, namespace: "nobody", log, ...createPlatform() });
  });
  after(async () => {
    await database.close();
    await proxy.close();
  });

  for (const [what, call] of calls) {
    it(`refuses ${what} in time`, async () => {
      const startedAt = performance.now();

      await expectError("dependency-unavailable", () => call(database));
      expect(performance.now() - startedAt).to.be.below(withinMs);
    });
  }

  it("refuses to make the indexes, says that it is away, and closes twice", async () => {
    await expectError("dependency-unavailable", () => database.migrate());
    expect(await database.ping()).to.equal(false);
    expect(await database.users.ping()).to.equal(false);
    expect(await database.ledger.ping()).to.equal(false);
    await database.close();
    await database.close();
  });
});

describe("MongoDB's address", () => {
  it("is refused when it is none, without its password", async () => {
    const url = "mongodb://admin:canary@";
    const open = () => connectMongo({ url, namespace: "x", log: createRecordingLog(), ...createPlatform() });

    const error = await expectError("config-invalid", open);
    expect(`${error.message} ${String(error.cause)}`).not.to.include("canary");
  });
});

describeWithServices("MongoDB, at times away", ["mongo"], ({ mongoUrl }) => {
  let proxy: TcpProxy;
  let database: Database | undefined;
  let log: ReturnType<typeof createRecordingLog>;
  const namespace = freshNamespace();

  beforeEach(async () => {
    const { hostname, port } = new URL(mongoUrl);
    proxy = await startTcpProxy({ host: hostname, port: Number(port) });
    log = createRecordingLog();
  });
  afterEach(async () => {
    await database?.close();
    await proxy.close();
    await dropMongoDatabase(mongoUrl, namespace);
  });

  const open = async () => {
    const url = `mongodb://127.0.0.1:${proxy.port}/?directConnection=true`;
    database = await connectMongo({ url, namespace, log, ...createPlatform() });
    return database;
  };
  const expectBack = (from: Database) =>
    eventually(async () => expect(await from.users.findById("nobody")).to.equal(null), { timeoutMs: 15_000 });

  for (const [how, start] of [
    ["refuses", () => proxy.cut()],
    ["says nothing", () => proxy.stall()],
  ] as const) {
    it(`opens while the server ${how}, and connects once it answers`, async () => {
      start();
      const opened = await open();
      await expectAway(opened);

      proxy.restore();
      await expectBack(opened);
      await opened.migrate();
      expect(await opened.ping()).to.equal(true);
    });

    it(`refuses in time when the server ${how} from one moment to the next, and recovers`, async () => {
      const opened = await open();
      await opened.migrate();
      start();
      await expectAway(opened);

      proxy.restore();
      await expectBack(opened);
    });
  }

  it("says so once when the server goes, and once when it is back", async () => {
    const opened = await open();
    proxy.cut();
    await expectAway(opened);
    await expectAway(opened);
    proxy.restore();
    await expectBack(opened);

    await eventually(() =>
      expect(log.lines).to.deep.equal(["mongodb.connected", "mongodb.disconnected", "mongodb.connected"]),
    );
  });
});
