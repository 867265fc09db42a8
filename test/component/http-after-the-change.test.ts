import { expect } from "chai";
import { afterEach, beforeEach, describe, it } from "mocha";
import { dependencyUnavailable } from "../../shared/errors.ts";
import type { Database } from "../../shared/ports/database.ts";
import { replaceMethod } from "../support/replace-method.ts";
import { type ApiWorld, createApiWorld, type TestApi } from "../support/test-api.ts";

const password = "correct horse";

describe("a change whose receipt cannot be read back", () => {
  let world: ApiWorld;
  let one: TestApi;
  let admin: string;
  let isAway: boolean;

  beforeEach(async () => {
    isAway = false;
    world = await createApiWorld();
    await world.startWorker();
    const parts = world.connectParts();
    one = await world.startApi({ ...parts, database: withoutReceipts(parts.database, () => isAway) });
    admin = await one.signIn();
  });
  afterEach(() => world.close());

  const addUser = () => one.createUser(admin, { email: "alice@example.com", password });

  async function expectAccepted(path: string, type: string, method = "POST"): Promise<void> {
    isAway = true;
    const { status, body, headers } = await one.call(path, { method, token: admin });
    expect([status, body["type"], body["status"]]).to.deep.equal([202, type, "pending"]);
    expect(headers.get("location")).to.equal(`/revocations/${String(body["event_id"])}`);
  }

  it("is accepted when it is a deactivation", async () => {
    await expectAccepted(`/users/${await addUser()}/deactivate`, "user.deactivated");
  });

  it("is accepted when it is a deactivation whose proof the caller waits for", async () => {
    const path = `/users/${await addUser()}/deactivate?wait=enforced&timeout_ms=200`;
    await expectAccepted(path, "user.deactivated");
  });

  it("is accepted when it is a sign-out", async () => {
    await expectAccepted(`/users/${await addUser()}/sign-out`, "user.signed-out");
  });

  it("is accepted when it is a deletion, which a second call could not find", async () => {
    await expectAccepted(`/users/${await addUser()}`, "user.deleted", "DELETE");
  });

  it("is accepted when it is the revocation of one token", async () => {
    await addUser();
    const { token } = (await one.call("/me", { token: await one.signIn("alice@example.com", password) }))
      .body;
    await expectAccepted(`/tokens/${String(Reflect.get(Object(token), "jti"))}/revoke`, "token.revoked");
  });
});

/** A database that takes changes and, while `isAway`, cannot say where their receipts are. */
function withoutReceipts(database: Database, isAway: () => boolean): Database {
  const away = () => Promise.reject(dependencyUnavailable("mongodb", new Error("gone")));
  return {
    ...methodsOf(database),
    users: replaceMethod(database.users, "findOutboxEvent", (id) =>
      isAway() ? away() : database.users.findOutboxEvent(id),
    ),
    sessions: database.sessions,
    idempotency: database.idempotency,
    safeguards: database.safeguards,
    audit: database.audit,
    clients: database.clients,
    ledger: replaceMethod(database.ledger, "find", (id) => (isAway() ? away() : database.ledger.find(id))),
  };
}

function methodsOf(database: Database): Pick<Database, "migrate" | "ping" | "close"> {
  return {
    migrate: () => database.migrate(),
    ping: () => database.ping(),
    close: () => database.close(),
  };
}
