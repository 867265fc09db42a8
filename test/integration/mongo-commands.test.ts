import { expect } from "chai";
import { afterEach, beforeEach, it } from "mocha";
import { createConnection } from "mongoose";
import { linkEntry } from "../../shared/audit/audit-chain.ts";
import { silentLog } from "../../shared/log.ts";
import { connectMongo } from "../../shared/mongo/database.ts";
import { createPlatform } from "../../shared/platform.ts";
import type { Database } from "../../shared/ports/database.ts";

import type { NewUser } from "../../shared/ports/user-store.ts";
import { createPosition } from "../../shared/revocation/position.ts";
import { auditChain } from "../support/audit-records.ts";
import { dropMongoDatabase } from "../support/drop-mongo-database.ts";
import { pendingRow } from "../support/ledger-rows.ts";
import { type CommandRecorder, recordCommands } from "../support/mongo-commands.ts";
import { describeWithServices, freshNamespace } from "../support/services.ts";

interface RawToken {
  readonly _id: string;
  readonly revokedBy: string;
  readonly expiresAt?: Date;
}

const writes = ["insert", "update", "delete", "findAndModify"];

describeWithServices("MongoDB, as it is asked", ["mongo"], ({ mongoUrl }) => {
  let recorder: CommandRecorder;
  let database: Database;
  const namespace = freshNamespace();

  beforeEach(async () => {
    const { hostname, port } = new URL(mongoUrl);
    recorder = await recordCommands({ host: hostname, port: Number(port) });
    // The address asks for less than is needed: the code has the last word.
    const url = `mongodb://127.0.0.1:${recorder.port}/?w=1&journal=false&wtimeoutMS=1&readConcernLevel=local&readPreference=secondaryPreferred`;
    database = await connectMongo({ url, namespace, log: silentLog, ...createPlatform() });
  });
  afterEach(async () => {
    await database.close();
    await recorder.close();
    await dropMongoDatabase(mongoUrl, namespace);
  });

  it("acknowledges every write by a majority and its journal", async () => {
    await writeEverything(database);

    const written = recorder.commands.filter((command) => writes.some((name) => name in command));
    const names = written.map((command) => Object.keys(command)[0] ?? "");
    expect([...new Set(names)].toSorted()).to.deep.equal([...writes].sort());
    for (const command of written) {
      const { writeConcern } = command;
      expect(writeConcern, JSON.stringify(command)).to.include({ w: "majority", j: true });
    }
  });

  it("reads the fence from the primary, with majority read concern", async () => {
    await database.ledger.writeFence("first");
    await database.ledger.readFence();

    const [read] = recorder.commands.filter(({ find }) => find === "fence");
    expect(read?.["readConcern"]).to.deep.equal({ level: "majority" });
    const preference = read?.["$readPreference"] ?? { mode: "primary" };
    expect(preference).to.deep.equal({ mode: "primary" });
  });

  it("reads the marks of a range from the primary, with majority read concern", async () => {
    await database.ledger.listMarkedBetween({ from: "e1", to: "e2", expiresAfterMs: 0, limit: 5 });

    const [read] = recorder.commands.filter(({ aggregate }) => aggregate === "tokens");
    expect(read?.["readConcern"]).to.deep.equal({ level: "majority" });
    expect(read?.["$readPreference"] ?? { mode: "primary" }).to.deep.equal({ mode: "primary" });
  });

  it("takes no token's expiry for another's where a document has none", async () => {
    const connection = await createConnection(mongoUrl, { dbName: namespace }).asPromise();
    try {
      await connection.collection<RawToken>("tokens").insertMany([
        { _id: "a", revokedBy: "e1" },
        { _id: "b", revokedBy: "e1", expiresAt: new Date(9_000) },
      ]);
    } finally {
      await connection.close();
    }
    const range = { from: "e1", to: "e2", expiresAfterMs: 0, limit: 5 };
    const outcome = await database.ledger.listMarkedBetween(range).catch(String);
    expect(outcome).to.equal("TypeError: a token marked by e1 has no expiry");
  });

  it("reads what a caller gave as a value, never as an operator", async () => {
    const operator = { $ne: null } as unknown as string; // What the types do not keep out.
    const outcome = await Promise.allSettled([database.users.findByEmail(operator)]);

    expect(outcome[0]).to.include({ status: "rejected" });
    expect(recorder.commands.filter(({ find }) => find === "users")).to.deep.equal([]);
  });

  it("keeps to what every server of the protocol knows", async () => {
    await database.migrate();
    await writeEverything(database);

    const sent = JSON.stringify(recorder.commands);
    for (const refused of [
      "arrayFilters",
      "$lookup",
      "$changeStream",
      "startTransaction",
      "expireAfterSeconds",
    ]) {
      expect(sent, refused).not.to.include(refused);
    }
  });
});

const user: NewUser = {
  id: "u1",
  email: "u1@quash.test",
  passwordHash: "hash",
  roles: ["user"],
  externalIds: [{ iss: "https://idp.test", sub: "a" }],
  createdAtMs: 1_000,
};
const row = pendingRow({ epoch: 1 });

async function writeEverything(database: Database): Promise<void> {
  const { users, sessions, idempotency, ledger, audit, safeguards } = database;
  const { status, epoch, statusChangedAtMs, epochRaisedAtMs } = await users.create(user);
  const from = { status, epoch, statusChangedAtMs, epochRaisedAtMs };
  const event = {
    id: "e1",
    source: "/quash/test",
    type: "user.deleted",
    timeMs: 2_000,
    details: {},
  } as const;
  await users.change("u1", { from, to: { ...from, status: "deleted", epoch: 1 }, event });
  await users.appendEvent("u1", { ...event, id: "e2" });
  for (const id of ["e1", "e2"]) await users.removeFromOutbox("u1", id);
  await users.purgeTombstones(9_000, 5);

  const times = { createdAtMs: 1_000, expiresAtMs: 9_000 };
  await sessions.createSession({ sid: "s1", subject: "u1", epoch: 0, refreshHash: "one", ...times });
  await sessions.rotate("s1", { fromHash: "one", toHash: "two", usedAtMs: 2_000 });
  await sessions.endSession("s1", 3_000);
  const token = { jti: "t1", subject: "u1", sid: "s1", epoch: 0, issuedAtMs: 1_000, expiresAtMs: 9_000 };
  await sessions.recordToken({ ...token, revokedBy: null });
  await ledger.markTokens("e1", { by: "session", sid: "s1", nowMs: 2_000 }, 5);
  for (const selection of [
    { by: "session", sid: "s1", nowMs: 2_000 },
    { by: "jti", jti: "t1", nowMs: 2_000 },
  ] as const) {
    await ledger.listMarkedByOthers("e2", selection, { limit: 5, after: "t0" });
  }
  await sessions.purgeTokens(99_000, 5);
  await sessions.purgeSessions(99_000, 5);

  const call = {
    id: "c1",
    fingerprint: "f1",
    holder: "h1",
    nowMs: 2_000,
    abandonedAtMs: 1_000,
    expiresAtMs: 9_000,
  };
  await idempotency.begin(call);
  await idempotency.begin({ ...call, holder: "h2", nowMs: 4_000, abandonedAtMs: 3_000 });
  const answer = { status: 204, location: null, contentType: null, body: "", problem: null };
  await idempotency.finish("c1", "h2", answer);
  await idempotency.release("c1", "h2");
  await idempotency.purge(99_000, 5);

  const place = { incarnation: "first", position: createPosition(5, 0) };
  const noted = { subject: "u1", epoch: 1, notBefore: null, unrecorded: false, untilMs: 9_000 };
  await ledger.insertPending([row]);
  await ledger.noteApplied("e1", { ...noted, ...place, appliedAtMs: 2_000, tokensRevoked: 1 });
  await ledger.noteEnforced(["e1"], {
    incarnation: "first",
    positions: [place.position],
    enforcedAtMs: 3_000,
    instances: [],
  });
  await ledger.removeRows(["e1"], { untilBeforeMs: 99_000, unsettledUntilBeforeMs: 99_000 });
  await ledger.judge(pendingRow({ eventId: "e3" }), { heldUntilMs: 5_000 });
  await ledger.confirmHold("e3", { by: "admin", atMs: 4_000 });
  await ledger.judge(pendingRow({ eventId: "e4" }), { heldUntilMs: 5_000 });
  await ledger.beginHoldEnd("e4", 6_000);
  await ledger.endHold("e4", { untilMs: 9_000 });
  await safeguards.countUsers({ source: "/hr", users: ["u1"], most: 5 });
  await safeguards.purgeCounts(Date.UTC(9000, 0, 1), 5);
  await safeguards.beginRemoval({ claim: "c1", userId: "u1", beganAtMs: 1_000 }, null);
  await safeguards.endRemoval("c1");
  await users.raiseRevision("u1");
  await ledger.writeFence("first");
  await ledger.raiseLongest({ tokenLifetimeSeconds: 1, maxStalenessMs: 1 });
  const shorter = { tokenLifetimeSeconds: 1, maxStalenessMs: 0 };
  await ledger.lowerLongest(shorter, { incarnation: "first", version: 1 });

  const [record] = auditChain("11111111-0000-4000-8000-000000000000", [{ action: "user.created" }]);
  if (record !== undefined) await audit.append([record]);
  await audit.removeBelow({ chain: "11111111-0000-4000-8000-000000000000", seq: 5 }, 5);
  const started = { kind: "started", chain: "c1", seq: 0, recordHash: "00", atMs: 1_000 } as const;
  await audit.appendToRegister(linkEntry(started, null));
  await audit.removeFromRegister(5, 5);
}
