import { expect } from "chai";
import { afterEach, beforeEach, describe, it } from "mocha";
import { encodeEvent } from "../../shared/events/encode-event.ts";
import type { Answer } from "../support/client.ts";
import { eventually } from "../support/eventually.ts";
import { expectProblem } from "../support/expect-problem.ts";
import { type ApiWorld, createApiWorld, type TestApi } from "../support/test-api.ts";

const password = "long enough";
const most = 3;

describe("mass deactivations over HTTP", () => {
  let world: ApiWorld;
  let api: TestApi;
  let other: TestApi;
  let token: string;
  let people = 0;

  beforeEach(async () => {
    world = await createApiWorld({ settings: { HOLD_ABOVE_USERS_PER_MINUTE: most } });
    await world.startWorker();
    [api, other] = await Promise.all([world.startApi(), world.startApi()]);
    token = await api.signIn();
  });
  afterEach(() => world.close());

  async function createPerson(more: Record<string, unknown> = {}) {
    people += 1;
    const email = `held-${people}@example.com`;
    const id = await api.createUser(token, { email, password, ...more });
    return { id, email, token: await api.signIn(email, password) };
  }
  const createPeople = (count: number) => Promise.all(Array.from({ length: count }, () => createPerson()));
  const post = (path: string, by = token, at = api): Promise<Answer> =>
    at.call(path, { method: "POST", token: by });
  const get = (path: string): Promise<Answer> => api.call(path, { token });
  const deactivate = (id: string, by = token, at = api) => post(`/users/${id}/deactivate`, by, at);
  const statusOf = async (id: string) => (await get(`/users/${id}`)).body["status"];

  /** One more than pass without a confirmation; who is held comes back. */
  async function holdOne() {
    for (const { id } of await createPeople(most)) expect((await deactivate(id)).status).to.equal(202);
    const person = await createPerson();
    const answer = await deactivate(person.id);
    return { person, answer, eventId: String(answer.body["event_id"]) };
  }
  const untilEnforced = (eventId: string) =>
    eventually(async () => {
      expect((await get(`/revocations/${eventId}`)).body["status"]).to.equal("enforced");
    });

  it("holds the first beyond the limit: 202, held, and the user as he was", async () => {
    const { person, answer, eventId } = await holdOne();

    expect(answer.status).to.equal(202);
    expect(answer.body).to.include({ status: "held", subject: person.id, type: "user.deactivated" });
    expect(answer.body).to.include({ applied_at: null, enforced_at: null, tokens_revoked: 0 });
    expect(answer.headers.get("location")).to.equal(`/revocations/${eventId}`);
    expect((await get(`/revocations/${eventId}`)).body).to.deep.equal(answer.body);
    expect(await statusOf(person.id)).to.equal("active");
    expect(await api.statusOf(person.token)).to.equal(200);
    expect((await world.databaseServer.connect().users.findById(person.id))?.epoch).to.equal(0);
  });

  it("is in the audit with who asked, and with who confirmed", async () => {
    const { person, eventId } = await holdOne();
    const colleague = await createPerson({ roles: ["admin"] });
    await post(`/revocations/${eventId}/confirm`, colleague.token);
    const items = await eventually(async () => {
      const found = (await get(`/audit?event_id=${eventId}`)).body["items"] as Record<string, unknown>[];
      expect(found).to.have.length.above(2);
      return found.toReversed();
    });

    expect(items.slice(0, 2).map(({ action }) => action)).to.deep.equal(["event.held", "hold.confirmed"]);
    for (const item of items.slice(0, 2)) {
      expect(item).to.include({ subject: person.id, event_type: "user.deactivated" });
      expect(item["request_id"]).to.be.a("string");
    }
    expect(items[0]?.["actor"]).to.equal((await api.call("/me", { token })).body["id"]);
    expect(items[1]?.["actor"]).to.equal(colleague.id);
  });

  it("counts over all instances", async () => {
    const [first, second, third, fourth] = await createPeople(most + 1);
    await deactivate(first?.id ?? "");
    await deactivate(second?.id ?? "", token, other);
    await deactivate(third?.id ?? "");

    expect((await deactivate(fourth?.id ?? "", token, other)).body).to.include({ status: "held" });
  });

  it("counts deletions too, and holds them", async () => {
    await holdOne();
    const { id } = await createPerson();
    const answer = await api.call(`/users/${id}`, { method: "DELETE", token });

    expect(answer.status).to.equal(202);
    expect(answer.body).to.include({ status: "held", type: "user.deleted" });
    expect(await statusOf(id)).to.equal("active");
  });

  it("lets single deactivations of another administrator go on meanwhile, and sign-outs", async () => {
    const { person } = await holdOne();
    const colleague = await createPerson({ roles: ["admin"] });
    const { id } = await createPerson();

    expect((await deactivate(id, colleague.token)).body["status"]).to.equal("pending");
    expect((await post(`/users/${person.id}/sign-out`)).body["status"]).to.equal("pending");
  });

  it("answers a repetition with the same receipt, and counts nobody twice", async () => {
    const { person, eventId } = await holdOne();
    const again = await deactivate(person.id, token, other);

    expect(again.status).to.equal(202);
    expect(again.body).to.include({ event_id: eventId, status: "held" });
    expect((await get("/revocations?status=held")).body["items"]).to.have.lengthOf(1);
  });

  it("answers one who waits for the enforcement at once", async () => {
    const { person, eventId } = await holdOne();
    const answer = await post(`/users/${person.id}/deactivate?wait=enforced&timeout_ms=30000`);

    expect(answer.status).to.equal(202);
    expect(answer.body).to.include({ event_id: eventId, status: "held" });
  });

  it("shows what is held, and nothing else, under status=held", async () => {
    const { eventId } = await holdOne();
    const { items } = (await get("/revocations?status=held")).body;

    expect(items).to.have.lengthOf(1);
    expect(JSON.stringify(items)).to.include(eventId);
    expectProblem(await get("/revocations?status=nonsense"), "validation-failed");
  });

  it("goes its way once it is confirmed: 202, and enforced by every instance", async () => {
    const { person, eventId } = await holdOne();
    const confirmed = await post(`/revocations/${eventId}/confirm`, token, other);

    expect(confirmed.status).to.equal(202);
    expect(confirmed.body).to.include({ event_id: eventId, status: "pending", subject: person.id });
    expect(await statusOf(person.id)).to.equal("deactivated");
    await untilEnforced(eventId);
    expect([await api.statusOf(person.token), await other.statusOf(person.token)]).to.deep.equal([401, 401]);
    const counted = await (await fetch(`${other.url}/metrics`)).text();
    expect(counted).to.include('revocation_holds_total{outcome="confirmed"} 1');
    expect((await deactivate(person.id)).body).to.include({ event_id: eventId, status: "enforced" });
  });

  it("is confirmed once: another time it is answered as it stands", async () => {
    const { person, eventId } = await holdOne();
    const answers = await Promise.all(
      [api, other, api].map((at) => post(`/revocations/${eventId}/confirm`, token, at)),
    );

    expect(answers.map(({ status }) => status)).to.deep.equal([202, 202, 202]);
    await untilEnforced(eventId);
    expect((await world.databaseServer.connect().users.findById(person.id))?.epoch).to.equal(1);
    expect((await post(`/revocations/${eventId}/confirm`)).body["status"]).to.equal("enforced");
  });

  it("is carried out by a worker where the instance died after the confirmation", async () => {
    const { person, eventId } = await holdOne();
    const { ledger } = world.databaseServer.connect();
    await ledger.confirmHold(eventId, { by: "somebody", atMs: world.platform.clock.wallMs() });

    await untilEnforced(eventId);
    expect(await statusOf(person.id)).to.equal("deactivated");
    expect(await api.statusOf(person.token)).to.equal(401);
  });

  it("does not put a user out of service again who was put back into it since", async () => {
    const { person, eventId } = await holdOne();
    await post(`/revocations/${eventId}/confirm`);
    await post(`/users/${person.id}/reactivate`);
    const fresh = await api.signIn(person.email, password);
    await untilEnforced(eventId);

    expect(await api.statusOf(fresh)).to.equal(200);
    expect(await api.statusOf(person.token)).to.equal(401);
  });

  it("refuses to confirm what is not held, what there is not, and by whom may not", async () => {
    const { person, eventId } = await holdOne();
    const { id } = await createPerson({ roles: ["user"] });
    const colleague = await createPerson({ roles: ["admin"] });
    const plain = await deactivate(id, colleague.token);

    expectProblem(await post(`/revocations/${String(plain.body["event_id"])}/confirm`), "hold-over");
    expectProblem(await post("/revocations/00000000-0000-4000-8000-000000000000/confirm"), "not-found");
    expectProblem(await post("/revocations/nonsense/confirm"), "not-found");
    expectProblem(await post(`/revocations/${eventId}/confirm`, person.token), "forbidden");
    expectProblem(await api.call(`/revocations/${eventId}/confirm`, { method: "POST" }), "token-missing");
    const withBody = await api.call(`/revocations/${eventId}/confirm`, { token, body: { force: true } });
    expectProblem(withBody, "validation-failed");
    expect((await get(`/revocations/${eventId}`)).body["status"]).to.equal("held");
  });

  it("changes nobody while nobody can count", async () => {
    const { id } = await createPerson();
    const database = world.databaseServer.connect();
    const before = await database.users.findById(id);
    world.databaseServer.setAvailable(false);
    expectProblem(await deactivate(id), "dependency-unavailable");
    world.databaseServer.setAvailable(true);

    expect(await database.users.findById(id)).to.deep.equal(before);
  });

  it("confirms an upstream system's, which a worker applies then", async () => {
    const victims = await createPeople(most + 1);
    const log = world.logServer.connect();
    for (const [at, { id }] of victims.entries()) {
      const timeMs = world.platform.clock.wallMs();
      const event = {
        id: `e${at}`,
        source: "/hr",
        type: "user.deactivated",
        subject: id,
        timeMs,
        details: {},
      };
      await log.publish("events", [encodeEvent({ ...event, type: "user.deactivated" })]);
    }
    const eventId = await eventually(async () => {
      const { items } = (await get("/revocations?status=held")).body;
      const [held] = Array.isArray(items) ? items : [];
      return String(Reflect.get(Object(held), "event_id") ?? expect.fail("none is held yet"));
    });
    const held = await get(`/revocations/${eventId}`);
    expect(held.body).to.include({ source: "/hr", status: "held" });
    expect(await statusOf(String(held.body["subject"]))).to.equal("active");

    expect((await post(`/revocations/${eventId}/confirm`)).status).to.equal(202);
    await untilEnforced(eventId);
    expect(await statusOf(String(held.body["subject"]))).to.equal("deactivated");
  });
});

describe("mass deactivations that are not held", () => {
  async function deactivateMany(settings: Record<string, unknown>): Promise<unknown[]> {
    const world = await createApiWorld({ settings });
    await world.startWorker();
    const api = await world.startApi();
    const token = await api.signIn();
    const statuses: unknown[] = [];
    for (let at = 0; at < 4; at += 1) {
      const id = await api.createUser(token, { email: `u${at}@example.com`, password });
      statuses.push((await api.call(`/users/${id}/deactivate`, { method: "POST", token })).body["status"]);
    }
    await world.close();
    return statuses;
  }

  it("are all of them where the limit is 0", async () => {
    expect(await deactivateMany({ HOLD_ABOVE_USERS_PER_MINUTE: 0 })).to.deep.equal(
      Array.from({ length: 4 }, () => "pending"),
    );
  });
});
