import { expect } from "chai";
import { describe, it } from "mocha";
import { createInProcessDatabaseServer } from "../../../shared/in-process/database.ts";
import type { Database } from "../../../shared/ports/database.ts";
import { expectError } from "../../support/expect-error.ts";

const calls: readonly [string, (database: Database) => Promise<unknown>][] = [
  ["creating a user", ({ users }) => users.create(alice())],
  ["finding a session", ({ sessions }) => sessions.findSession("s")],
  ["purging tokens", ({ sessions }) => sessions.purgeTokens(1, 1)],
  ["reading the fence", ({ ledger }) => ledger.readFence()],
  ["migrating", (database) => database.migrate()],
];

describe("in-process database", () => {
  for (const [what, call] of calls) {
    it(`refuses ${what} while it is switched off, on every connection`, async () => {
      const server = createInProcessDatabaseServer();
      const [early, late] = [server.connect(), server.connect()];
      server.setAvailable(false);
      for (const database of [early, late]) await expectError("dependency-unavailable", () => call(database));
    });
  }

  it("answers no ping while it is switched off, and has what it had when it is back", async () => {
    const server = createInProcessDatabaseServer();
    const database = server.connect();
    await database.ledger.writeFence("first");
    const pings = () => Promise.all([database.ping(), database.users.ping(), database.ledger.ping()]);

    server.setAvailable(false);
    expect(await pings()).to.deep.equal([false, false, false]);
    server.setAvailable(true);
    expect(await pings()).to.deep.equal([true, true, true]);
    expect((await database.ledger.readFence())?.incarnation).to.equal("first");
  });

  it("shares no value with its callers", async () => {
    const { users } = createInProcessDatabaseServer().connect();
    const given = alice();
    const made = await users.create(given);
    given.roles.push("admin");
    Object.assign(made.roles, ["admin"]);
    expect(await users.findById("alice")).to.deep.include({ roles: ["user"] });
  });

  it("takes a call's arguments as they were when it was called", async () => {
    const { users } = createInProcessDatabaseServer().connect();
    const given = alice();
    const creating = users.create(given);
    given.roles.push("admin");
    await creating;
    expect(await users.hasAdministrator()).to.equal(false);
  });
});

function alice() {
  const roles: ("user" | "admin")[] = ["user"];
  return {
    id: "alice",
    email: "alice@example.com",
    passwordHash: "hash",
    roles,
    externalIds: [],
    createdAtMs: 1,
  };
}
