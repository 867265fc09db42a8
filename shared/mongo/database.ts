import type { Database } from "../ports/database.ts";
import { createMongoAudit } from "./audit.ts";
import { createMongoClients } from "./clients.ts";
import { bulkLimitMs, type MongoOptions, openConnection } from "./connection.ts";
import { createMongoIdempotency } from "./idempotency.ts";
import { createMongoLedger } from "./ledger.ts";
import { createMongoSafeguards } from "./safeguards.ts";
import { createMongoSessions, tokenModelOf } from "./sessions.ts";
import { createMongoUsers } from "./users.ts";

/**
 * Users, sessions, tokens and the ledger on a server that speaks MongoDB's protocol. Resolves even while it is away:
 * calls then fail with `dependency-unavailable` within two seconds, and succeed once it is back.
 */
export async function connectMongo(options: MongoOptions): Promise<Database> {
  const mongo = await openConnection(options);
  const tokens = tokenModelOf(mongo);
  return {
    users: createMongoUsers(mongo),
    sessions: createMongoSessions(mongo, tokens),
    ledger: createMongoLedger(mongo, tokens),
    idempotency: createMongoIdempotency(mongo),
    safeguards: createMongoSafeguards(mongo),
    audit: createMongoAudit(mongo),
    clients: createMongoClients(mongo),
    migrate: () =>
      mongo.call(async () => {
        for (const model of Object.values(mongo.connection.models)) await model.createIndexes();
      }, bulkLimitMs),
    ping: () => mongo.ping(),
    close: () => mongo.close(),
  };
}
