import { expect } from "chai";
import { describe, it } from "mocha";
import { createInProcessDatabaseServer } from "../../shared/in-process/database.ts";
import { silentLog } from "../../shared/log.ts";
import { connectMongo } from "../../shared/mongo/database.ts";
import { createPlatform } from "../../shared/platform.ts";
import type { Database } from "../../shared/ports/database.ts";
import { dropMongoDatabase } from "../support/drop-mongo-database.ts";
import { expectError } from "../support/expect-error.ts";
import { describeWithServices, freshNamespace } from "../support/services.ts";
import { type DatabaseFixture, databaseContract } from "./database.contract.ts";

databaseContract("in-process", () => {
  const server = createInProcessDatabaseServer();
  return Promise.resolve({
    connect: () => Promise.resolve(server.connect()),
    close: () => Promise.resolve(),
  });
});

describeWithServices("with a MongoDB server", ["mongo"], ({ mongoUrl }) => {
  databaseContract("MongoDB", () => Promise.resolve(openOnMongo(mongoUrl, freshNamespace())));

  it("keeps two namespaces apart", async () => {
    const [one, two] = [freshNamespace(), freshNamespace()].map((name) => openOnMongo(mongoUrl, name));
    await (await one?.connect())?.ledger.writeFence("first");

    expect(await (await two?.connect())?.ledger.readFence()).to.equal(null);
    await Promise.all([one?.close(), two?.close()]);
  });
});

describe("in-process: database that is switched off", () => {
  it("refuses calls on every connection, and keeps what it had", async () => {
    const server = createInProcessDatabaseServer();
    const [one, two] = [server.connect(), server.connect()];
    await one.ledger.writeFence("first");
    server.setAvailable(false);

    await expectError("dependency-unavailable", () => two.users.findById("u1"));
    await expectError("dependency-unavailable", () => one.migrate());
    expect([await one.ping(), await two.users.ping(), await two.ledger.ping()]).not.to.include(true);
    server.setAvailable(true);
    expect((await two.ledger.readFence())?.incarnation).to.equal("first");
  });
});

function openOnMongo(url: string, namespace: string): DatabaseFixture {
  const opened: Database[] = [];
  return {
    async connect() {
      const database = await connectMongo({ url, namespace, log: silentLog, ...createPlatform() });
      opened.push(database);
      return database;
    },
    async close() {
      await Promise.all(opened.map((database) => database.close()));
      await dropMongoDatabase(url, namespace);
    },
  };
}
