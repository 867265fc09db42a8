import { expect } from "chai";
import { afterEach, beforeEach, describe, it } from "mocha";
import type { RevocationStore } from "../../shared/ports/revocation-store.ts";
import { eventually } from "../support/eventually.ts";
import { expectProblem } from "../support/expect-problem.ts";
import { type ApiWorld, createApiWorld, cuttable, type TestApi } from "../support/test-api.ts";

const password = "long enough";

/** How many listen to the store over this connection. */
function counting(store: RevocationStore) {
  const open = new Set<unknown>();
  const counted: RevocationStore = {
    ...store,
    async subscribe(listener) {
      const subscription = await store.subscribe(listener);
      open.add(subscription);
      return {
        close() {
          open.delete(subscription);
          return subscription.close();
        },
      };
    },
  };
  return { store: counted, open };
}

describe("enforcement over HTTP", () => {
  let world: ApiWorld;
  beforeEach(async () => {
    world = await createApiWorld({ settings: { MAX_STALENESS_MS: 2_000 } });
  });
  afterEach(() => world.close());

  async function createPerson(api: TestApi, token: string, name: string) {
    const email = `${name}@example.com`;
    return api.createUser(token, { email, password });
  }

  it("with wait=enforced answers 202 and who lags behind, when the time is up", async () => {
    await world.startWorker();
    const link = cuttable(world.storeServer.connect());
    const [api, cutOff] = await Promise.all([world.startApi(), world.startApi({ store: link.store })]);
    const token = await api.signIn();
    const id = await createPerson(api, token, "alice");
    link.cut();
    const path = `/users/${id}/deactivate?wait=enforced&timeout_ms=300`;
    const first = await api.call(path, { method: "POST", token });

    expect([first.status, first.body["status"]]).to.deep.equal([202, "applied"]);
    expect(statesIn(first.body["instances"])).to.deep.equal({
      [api.api.instanceId]: "enforced",
      [cutOff.api.instanceId]: "pending",
    });
    const since = timesIn(first.body["instances"])[cutOff.api.instanceId];
    expect(Date.now() - Date.parse(String(since))).to.be.within(0, 60_000);
    const again = await api.call(path, { method: "POST", token });
    expect([again.status, again.body["event_id"]]).to.deep.equal([202, first.body["event_id"]]);

    link.restore();
    const restored = await api.call(path.replace("300", "5000"), { method: "POST", token });
    expect([restored.status, restored.body["status"]]).to.deep.equal([200, "enforced"]);
  });

  it("an instance that stays silent counts as fenced, once its lease must have run out", async () => {
    await world.startWorker();
    const link = cuttable(world.storeServer.connect());
    const [api, silent] = await Promise.all([world.startApi(), world.startApi({ store: link.store })]);
    const token = await api.signIn();
    const id = await createPerson(api, token, "alice");
    link.cut();
    const path = `/users/${id}/deactivate?wait=enforced&timeout_ms=8000`;
    const answer = await api.call(path, { method: "POST", token });

    expect(answer.status).to.equal(200);
    expect(statesIn(answer.body["instances"])[silent.api.instanceId]).to.equal("fenced");
    expectProblem(await silent.call("/me", { token }), "replica-stale");
    const { body } = await api.call("/instances", { token });
    expect(statesIn(body["items"])[silent.api.instanceId]).to.be.oneOf(["stale", "fenced"]);
  });

  it("many may wait at once, over one subscription, and none of it stays", async () => {
    await world.startWorker();
    const { store, open } = counting(world.storeServer.connect());
    const api = await world.startApi({ store });
    const token = await api.signIn();
    const ids = await Promise.all(["a", "b", "c", "d", "e"].map((name) => createPerson(api, token, name)));
    expect(open.size).to.equal(1);
    let most = 0;
    const watching = setInterval(() => (most = Math.max(most, open.size)), 1);
    const answers = await Promise.all(
      ids.map((id) => api.call(`/users/${id}/deactivate?wait=enforced`, { method: "POST", token })),
    );
    clearInterval(watching);

    expect(answers.map(({ status }) => status)).to.deep.equal([200, 200, 200, 200, 200]);
    expect(most).to.be.at.most(2);
    await eventually(() => expect(open.size).to.equal(1));
  });

  it("receipts can be read while no worker runs, and are enforced after one has come", async () => {
    const worker = await world.startWorker();
    const api = await world.startApi();
    const token = await api.signIn();
    const id = await createPerson(api, token, "alice");
    await worker.close();

    const path = `/users/${id}/deactivate?wait=enforced&timeout_ms=100`;
    const waited = await api.call(path, { method: "POST", token });
    expect([waited.status, waited.body["status"]]).to.deep.equal([202, "pending"]);
    const read = await api.call(waited.headers.get("location") ?? "", { token });
    expect([read.status, read.body["status"]]).to.deep.equal([200, "pending"]);

    await world.startWorker();
    await eventually(async () => {
      const later = await api.call(waited.headers.get("location") ?? "", { token });
      expect(later.body["status"]).to.equal("enforced");
    });
  });

  it("an event that Kafka does not take is in a receipt at once, and enforced by the relay", async () => {
    await world.startWorker();
    const api = await world.startApi();
    const token = await api.signIn();
    const id = await createPerson(api, token, "alice");
    const theirs = await api.signIn("alice@example.com", password);
    world.logServer.setAvailable(false);

    const answer = await api.call(`/users/${id}/deactivate`, { method: "POST", token });
    expect(answer.status).to.equal(202);
    const read = () => api.call(answer.headers.get("location") ?? "", { token });
    expect((await read()).status).to.equal(200);
    await eventually(async () => expect((await read()).body["status"]).to.equal("enforced"));
    expect(await api.statusOf(theirs)).to.equal(401);
    world.logServer.setAvailable(true);
  });

  it("while MongoDB is away sign-in and administration answer 503, and tokens are still checked", async () => {
    await world.startWorker();
    const api = await world.startApi();
    const token = await api.signIn();
    const id = await createPerson(api, token, "alice");
    world.databaseServer.setAvailable(false);

    const body = { email: "alice@example.com", password };
    expectProblem(await api.call("/auth/login", { body }), "dependency-unavailable");
    expectProblem(
      await api.call("/auth/refresh", { body: { refresh_token: "A".repeat(107) } }),
      "dependency-unavailable",
    );
    expectProblem(await api.call("/users", { token }), "dependency-unavailable");
    expectProblem(
      await api.call(`/users/${id}/deactivate`, { token, method: "POST" }),
      "dependency-unavailable",
    );
    const me = await api.call("/me", { token });
    expect([me.status, me.body["email"]]).to.deep.equal([200, null]);
    world.databaseServer.setAvailable(true);
    expect((await api.call("/me", { token })).body["email"]).to.equal("admin@example.com");
  });

  describe("readiness", () => {
    it("names what is missing until a worker has prepared the store, and nothing is accepted until then", async () => {
      const api = await world.listen();
      const before = await api.call("/readyz");
      expect([before.status, before.body["status"]]).to.deep.equal([503, "unavailable"]);
      expect(before.body["checks"]).to.have.nested.property("replica.status", "unavailable");
      await eventually(async () => {
        const { body } = await api.call("/readyz");
        expect(body["checks"]).to.have.nested.property("replica.detail").that.contains("waits for a worker");
        expect(body["checks"])
          .to.have.nested.property("replica.since")
          .that.matches(/^\d{4}-.*Z$/);
      });
      expectProblem(await api.call("/me", { token: "garbage" }), "replica-cold");
      expect((await api.call("/livez")).status).to.equal(200);

      await world.startWorker();
      await eventually(async () => expect((await api.call("/readyz")).status).to.equal(200));
      expect(await api.statusOf(await api.signIn())).to.equal(200);
    });

    it("waits for the database, and not for Kafka", async () => {
      await world.startWorker();
      world.databaseServer.setAvailable(false);
      world.logServer.setAvailable(false);
      const api = await world.listen();
      await eventually(async () => {
        const { body } = await api.call("/readyz");
        expect(body["checks"])
          .to.have.nested.property("setup.detail")
          .that.equals("waiting for mongodb (the indexes, the first administrator)");
      });
      world.databaseServer.setAvailable(true);
      await eventually(async () => expect((await api.call("/readyz")).status).to.equal(200));
      world.logServer.setAvailable(true);
    });

    it("asks clients to come back elsewhere while it drains, and lets who waits have an answer", async () => {
      await world.startWorker();
      const link = cuttable(world.storeServer.connect());
      const api = await world.startApi();
      await world.startApi({ store: link.store });
      const token = await api.signIn();
      const id = await createPerson(api, token, "alice");
      link.cut();
      const path = `/users/${id}/deactivate?wait=enforced&timeout_ms=30000`;
      const waiting = api.call(path, { method: "POST", token });
      await eventually(async () =>
        expect((await api.call(`/users/${id}`, { token })).body["status"]).to.equal("deactivated"),
      );
      const closing = api.api.close();

      const answer = await waiting;
      expect([answer.status, answer.headers.get("connection")]).to.deep.equal([202, "close"]);
      await closing;
      link.restore();
    });
  });
});

function statesIn(instances: unknown): Record<string, unknown> {
  return Object.fromEntries(listOf(instances).map(({ id, state }) => [String(id), state]));
}

function timesIn(instances: unknown): Record<string, unknown> {
  return Object.fromEntries(listOf(instances).map(({ id, at }) => [String(id), at]));
}

function listOf(instances: unknown): Record<string, unknown>[] {
  return Array.isArray(instances) ? instances : [];
}
