import mongoose, { type Connection } from "mongoose";
import { type ConnectionAdvisor, createConnectionAdvisor } from "../connection-advisor.ts";
import { AppError, dependencyUnavailable } from "../errors.ts";
import type { Log } from "../log.ts";
import type { Timers } from "../ports/platform.ts";
import { asAppError, lacksRights } from "./failures.ts";

export interface MongoOptions {
  /** `mongodb:` or `mongodb+srv:`; a database in it serves for authentication only. */
  readonly url: string;
  /** The name of the database. */
  readonly namespace: string;
  readonly log: Log;
  readonly timers: Timers;
}

export interface MongoConnection {
  readonly connection: Connection;
  /**
   * Runs one use of the server. Fails at once while there is no connection, and once `limitMs` have passed: then it
   * may have happened.
   */
  readonly call: <T>(run: () => Promise<T>, limitMs?: number) => Promise<T>;
  readonly ping: () => Promise<boolean>;
  readonly close: () => Promise<void>;
}

/** With the way to the caller, an absent server is told within two seconds. */
const callLimitMs = 1_800;
/** For a call that touches many documents. */
export const bulkLimitMs = 10_000;
const reopenAfterMs = 500;

const serverOptions = {
  serverSelectionTimeoutMS: 1_500,
  connectTimeoutMS: 1_500,
  heartbeatFrequencyMS: 2_000,
  socketTimeoutMS: bulkLimitMs,
  maxPoolSize: 50,
  // What waits for a connection longer has been given up, and must not run after all.
  waitQueueTimeoutMS: 1_500,
  // One by one: an address that names one of them would win over an object of them.
  w: "majority",
  journal: true,
  wtimeoutMS: 5_000,
  readConcernLevel: "majority",
  readPreference: "primary",
  ignoreUndefined: true,
} as const;

/** Resolves after the first attempt, whatever became of it; one that failed is made again until `close`. */
export async function openConnection(options: MongoOptions): Promise<MongoConnection> {
  const { url, namespace, log, timers } = options;
  // One of its own, since mongoose's settings belong to the instance.
  const instance = new mongoose.Mongoose({
    strict: "throw",
    strictQuery: "throw",
    sanitizeFilter: true,
    bufferCommands: false,
    autoIndex: false,
    autoCreate: false,
  });
  const connection = instance.createConnection();
  const closing = new AbortController();
  const isTls = url.startsWith("mongodb+srv:") || /[?&](tls|ssl)=true/.test(url);
  const advisor = createConnectionAdvisor({ dependency: "mongodb", isTls }, log);
  const noteDown = logStateChanges(connection, { log, advisor }, closing.signal);

  const open = async (): Promise<boolean> => {
    try {
      await connection.openUri(url, { ...serverOptions, dbName: namespace });
      return true;
    } catch (error) {
      // Two libraries read the address; each has an error of this name.
      if (error instanceof Error && error.name === "MongoParseError") {
        throw new AppError("config-invalid", "MONGO_URL is not an address of a MongoDB server.", {
          cause: error,
        });
      }
      noteDown(error);
      return false;
    }
  };
  const keepOpening = async () => {
    let isOpen = false;
    while (!isOpen && !closing.signal.aborted) {
      await timers.sleep(reopenAfterMs, closing.signal);
      if (!closing.signal.aborted) isOpen = await open();
    }
  };
  const opening = (await open()) ? Promise.resolve() : keepOpening();

  const call = async <T>(run: () => Promise<T>, limitMs = callLimitMs): Promise<T> => {
    try {
      return await bounded(
        timers,
        connection.db === undefined ? () => Promise.reject(dependencyUnavailable("mongodb", notYet())) : run,
        limitMs,
      );
    } catch (error) {
      if (lacksRights(error)) advisor.failed(error);
      throw error;
    }
  };

  return {
    connection,
    call,
    async ping() {
      try {
        await call(async () => connection.db?.command({ ping: 1 }));
        return true;
      } catch (error) {
        if (error instanceof AppError) return false;
        throw error;
      }
    },
    async close() {
      closing.abort();
      await opening;
      await connection.close();
    },
  };
}

async function bounded<T>(timers: Timers, run: () => Promise<T>, limitMs: number): Promise<T> {
  let cancel = () => {};
  const limit = new Promise<never>((_, reject) => {
    cancel = timers.after(limitMs, () => {
      reject(dependencyUnavailable("mongodb", new Error(`no answer within ${limitMs} ms`)));
    });
  });
  try {
    return await Promise.race([run(), limit]);
  } catch (error) {
    throw asAppError(error);
  } finally {
    cancel();
  }
}

const notYet = () => new Error("there has been no connection yet");

/** One line per change of state, not per attempt. */
function logStateChanges(
  connection: Connection,
  { log, advisor }: { readonly log: Log; readonly advisor: ConnectionAdvisor },
  closing: AbortSignal,
): (err: unknown) => void {
  let state: "new" | "up" | "down" = "new";
  const down = (err?: unknown) => {
    if (!closing.aborted) advisor.failed(err);
    if (state !== "down" && !closing.aborted) {
      log.warn("mongodb.disconnected", err instanceof Error ? { reason: err.message } : {});
    }
    state = "down";
  };
  // Without a listener an error of the connection would end the process.
  connection.on("error", down);
  connection.on("disconnected", () => {
    // Before the first connection the attempt itself tells why it failed.
    if (state === "up") down();
  });
  connection.on("connected", () => {
    state = "up";
    advisor.worked();
    log.info("mongodb.connected");
  });
  return down;
}
