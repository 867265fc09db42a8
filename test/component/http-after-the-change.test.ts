import { expect } from "chai";
import { afterEach, beforeEach, describe, it } from "mocha";
import { dependencyUnavailable } from "../../shared/errors.ts";
import type { Database } from "../../shared/ports/database.ts";
import type { RevocationStore } from "../../shared/ports/revocation-store.ts";
import { eventually } from "../support/eventually.ts";
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
    await expectAccepted(`/tokens/${String(Object(token).jti)}/revoke`, "token.revoked");
  });
});

describe("GET /instances", () => {
  it("shows no instance as fresh whose syncs renew no lease, since the store is under repair", async () => {
    const world = await createApiWorld();
    const worker = await world.startWorker();
    const one = await world.startApi();
    const token = await one.signIn();
    const states = async () => statesIn((await one.call("/instances", { token })).body["items"]);
    await eventually(async () => expect(await states()).to.deep.equal(["fresh"]));

    await worker.close();
    await world.connectParts().store.beginRepair("a lock");

    expect(await states()).to.deep.equal(["stale"]);
    await world.close();
  });
});

describe("an API instance that could not close a part", () => {
  it("says so to whoever waits for its end", async () => {
    const world = await createApiWorld();
    const worker = await world.startWorker();
    const parts = world.connectParts();
    const one = await world.startApi({ ...parts, store: unclosable(parts.store) });

    const outcomes = await Promise.allSettled([one.api.close(), one.api.closed]);

    expect(outcomes.map(({ status }) => status)).to.deep.equal(["rejected", "rejected"]);
    expect(one.api.open).to.deep.equal([]);
    await worker.close();
  });
});

/** A database that takes changes and, while `isAway`, cannot say where their receipts are. */
function withoutReceipts(database: Database, isAway: () => boolean): Database {
  const away = () => Promise.reject(dependencyUnavailable("mongodb", new Error("gone")));
  return {
    ...methodsOf(database),
    users: replace(database.users, "findOutboxEvent", (id) =>
      isAway() ? away() : database.users.findOutboxEvent(id),
    ),
    sessions: database.sessions,
    ledger: replace(database.ledger, "find", (id) => (isAway() ? away() : database.ledger.find(id))),
  };
}

function methodsOf(database: Database): Pick<Database, "migrate" | "ping" | "close"> {
  return {
    migrate: () => database.migrate(),
    ping: () => database.ping(),
    close: () => database.close(),
  };
}

function unclosable(store: RevocationStore): RevocationStore {
  return replace(store, "subscribe", async (listener) => {
    const subscription = await store.subscribe(listener);
    return { close: () => subscription.close().then(() => Promise.reject(new Error("stuck"))) };
  });
}

/** The port with one of its methods replaced. */
function replace<T extends object, K extends keyof T>(port: T, name: K, method: T[K]): T {
  return new Proxy(port, {
    get(target, key) {
      const member: unknown = Reflect.get(target, key);
      if (key === name) return method;
      return typeof member === "function" ? member.bind(target) : member;
    },
  });
}

function statesIn(items: unknown): unknown[] {
  return Array.isArray(items) ? items.map((item) => Object(item).state) : [];
}
