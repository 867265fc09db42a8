import mongoose from "mongoose";
import { createInProcessDatabaseServer } from "../../shared/in-process/database.ts";
import { silentLog } from "../../shared/log.ts";
import { connectMongo } from "../../shared/mongo/database.ts";
import { createPlatform } from "../../shared/platform.ts";
import type { Database } from "../../shared/ports/database.ts";
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
      await dropDatabase(url, namespace);
    },
  };
}

async function dropDatabase(url: string, name: string): Promise<void> {
  const connection = await mongoose.createConnection(url, { dbName: name }).asPromise();
  try {
    await connection.dropDatabase();
  } finally {
    await connection.close();
  }
}
