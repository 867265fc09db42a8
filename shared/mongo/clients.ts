import { Schema, trusted } from "mongoose";
import type { Client, ClientStore } from "../ports/client-store.ts";
import { bulkLimitMs, type MongoConnection } from "./connection.ts";
import { isDuplicateKey } from "./failures.ts";

interface ClientDocument {
  readonly _id: string;
  readonly name: string;
  readonly secretHash?: string;
  readonly jwks?: string;
  readonly sources?: readonly string[];
  readonly createdAt: Date;
}

interface AssertionDocument {
  readonly _id: string;
  readonly expiresAt: Date;
}

const requiredText = { type: String, required: true };
const requiredTime = { type: Date, required: true };

const clientSchema = new Schema<ClientDocument>(
  {
    _id: requiredText,
    name: requiredText,
    secretHash: String,
    jwks: String,
    sources: { type: [String], default: undefined },
    createdAt: requiredTime,
  },
  { versionKey: false },
);
const assertionSchema = new Schema<AssertionDocument>(
  { _id: requiredText, expiresAt: requiredTime },
  { versionKey: false },
);
assertionSchema.index({ expiresAt: 1 }, { name: "expiry" });

export function createMongoClients({ connection, call }: MongoConnection): ClientStore {
  const clients = connection.model<ClientDocument>("Client", clientSchema, "clients");
  const assertions = connection.model<AssertionDocument>("Assertion", assertionSchema, "assertions");

  return {
    createClient: (client) =>
      call(async () => {
        await clients.create(documentOf(client));
      }),
    findClient: (id) =>
      call(async () => {
        const document = await clients.findOne({ _id: id }).lean().exec();
        return document === null ? null : clientOf(document);
      }),
    listClients: ({ after = "", limit }) =>
      call(async () => {
        const later = { _id: trusted({ $gt: after }) };
        const documents = await clients.find(later).sort({ _id: 1 }).limit(limit).lean().exec();
        return documents.map(clientOf);
      }),
    deleteClient: (id) => call(async () => (await clients.deleteOne({ _id: id }).exec()).deletedCount > 0),
    useAssertion: ({ key, expiresAtMs }) =>
      call(async () => {
        try {
          await assertions.create({ _id: key, expiresAt: new Date(expiresAtMs) });
          return true;
        } catch (error) {
          if (isDuplicateKey(error)) return false;
          throw error;
        }
      }),
    purgeAssertions: (expiredBeforeMs, limit) =>
      call(async () => {
        const expired = { expiresAt: trusted({ $lt: new Date(expiredBeforeMs) }) };
        const found = await assertions.find(expired, { _id: 1 }).limit(limit).lean().exec();
        if (found.length === 0) return 0;
        const chosen = trusted({ $in: found.map(({ _id }) => _id) });
        return (await assertions.deleteMany({ _id: chosen }).exec()).deletedCount;
      }, bulkLimitMs),
  };
}

function documentOf({ id, name, secretHash, jwks, sources, createdAtMs }: Client): ClientDocument {
  return {
    _id: id,
    name,
    ...(secretHash !== null && { secretHash }),
    ...(jwks !== null && { jwks }),
    ...(sources.length > 0 && { sources }),
    createdAt: new Date(createdAtMs),
  };
}

function clientOf({ _id: id, name, secretHash, jwks, sources, createdAt }: ClientDocument): Client {
  return {
    id,
    name,
    secretHash: secretHash ?? null,
    jwks: jwks ?? null,
    sources: sources ?? [],
    createdAtMs: createdAt.getTime(),
  };
}
