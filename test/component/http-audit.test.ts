import { expect } from "chai";
import { after, before, describe, it } from "mocha";
import { verifyAudit } from "../../shared/audit/verify-audit.ts";
import { eventually } from "../support/eventually.ts";
import { expectProblem } from "../support/expect-problem.ts";
import { type ApiWorld, createApiWorld, type TestApi } from "../support/test-api.ts";

type Item = Record<string, unknown>;

describe("GET /audit", () => {
  let world: ApiWorld;
  let api: TestApi;
  let admin: string;
  let adminId: string;
  let created = 0;

  before(async () => {
    // So that a refresh token that comes twice is a reuse, however soon it comes.
    world = await createApiWorld({ settings: { REFRESH_RETRY_SECONDS: 0 } });
    await world.startWorker();
    api = await world.startApi();
    admin = await api.signIn();
    adminId = String((await api.call("/me", { token: admin })).body["id"]);
  });
  after(() => world.close());

  async function items(query: string): Promise<Item[]> {
    const { status, body } = await api.call(`/audit?${query}`, { token: admin });
    expect(status, JSON.stringify(body)).to.equal(200);
    return body["items"] as Item[];
  }

  /** The records of a query, the oldest first, once there are so many of them. */
  function recorded(query: string, count: number): Promise<Item[]> {
    return eventually(async () => {
      const found = await items(query);
      expect(found, JSON.stringify(found)).to.have.lengthOf(count);
      return found.toReversed();
    });
  }

  async function person() {
    created += 1;
    const email = `person${created}@example.com`;
    const id = await api.createUser(admin, { email, password: "correct horse" });
    return { id, email, token: await api.signIn(email, "correct horse") };
  }

  it("has a deactivation from the call that asked for it to the worker that applied it", async () => {
    const { id } = await person();
    const headers = { "x-request-id": "deactivation-1" };
    const { body } = await api.call(`/users/${id}/deactivate?wait=enforced`, {
      token: admin,
      body: { reason: "left" },
      headers,
    });

    const [asked, applied] = await recorded(`event_id=${String(body["event_id"])}`, 2);
    const common = { actor: adminId, subject: id, reason: "left", event_type: "user.deactivated", count: 1 };
    expect(asked).to.include({
      ...common,
      action: "user.deactivated",
      request_id: "deactivation-1",
      process: "api",
    });
    expect(applied).to.include({
      ...common,
      action: "revocation.applied",
      request_id: null,
      process: "worker",
    });
  });

  it("has each change of a user with who asked for it", async () => {
    const { id } = await person();
    for (const change of ["sign-out", "deactivate", "reactivate"]) {
      await api.call(`/users/${id}/${change}`, { token: admin, method: "POST" });
    }
    await api.call(`/users/${id}`, { token: admin, method: "DELETE" });

    const told = await recorded(`subject=${id}&actor=${adminId}&limit=100`, 9);
    const ofTheApi = told.filter(({ process }) => process === "api").map(({ action }) => action);
    expect(ofTheApi).to.deep.equal([
      "user.created",
      "user.signed-out",
      "user.deactivated",
      "user.reactivated",
      "user.deleted",
    ]);
  });

  it("has who sent an event over HTTP, whatever source it claims", async () => {
    const { id } = await person();
    const event = { id: "sent-1", source: "/hr", type: "user.deactivated", subject: id, specversion: "1.0" };
    const { status, body } = await api.call("/events", {
      token: admin,
      body: { ...event, data: { reason: "left" } },
      headers: { "content-type": "application/cloudevents+json", "x-request-id": "sending-1" },
    });
    expect(status, JSON.stringify(body)).to.equal(202);

    const [accepted] = await recorded(`actor=${adminId}&action=event.accepted`, 1);
    expect(accepted).to.include({
      subject: id,
      object: "/hr",
      reason: "left",
      request_id: "sending-1",
      event_id: body["event_id"],
      event_type: "user.deactivated",
    });
  });

  it("has an upstream event under the name of its source, whomever it names", async () => {
    const { id } = await person();
    const event = { id: "up-1", source: "/hr", type: "user.deactivated", subject: id, specversion: "1.0" };
    const value = JSON.stringify({ ...event, data: { actor: "the pope", reason: "retired" } });
    const headers = { "content-type": "application/cloudevents+json" };
    await world.connectParts().eventLog.publish("events", [{ key: id, value: Buffer.from(value), headers }]);

    const [applied] = await recorded(`subject=${id}&action=revocation.applied`, 1);
    expect(applied).to.include({ actor: "/hr", reason: "retired", event_type: "user.deactivated" });
  });

  it("has a sign-in with its session, and failures with their reason: the first, then a count", async () => {
    const { id, email } = await person();
    for (let times = 0; times < 3; times += 1) {
      await api.call("/auth/login", { body: { email, password: "wrong password" } });
    }

    const [succeeded] = await recorded(`subject=${id}&action=sign-in.succeeded`, 1);
    expect(succeeded?.["object"]).to.match(/^[0-9a-f-]{36}$/);
    const [failed] = await recorded(`subject=${id}&action=sign-in.failed`, 1);
    expect(failed).to.include({ actor: null, reason: "wrong-password", count: 1 });
  });

  it("names nobody, and nothing of what was sent, when the address is nobody's", async () => {
    const secret = "hunter2-typed-into-the-wrong-field@example.com";
    await api.call("/auth/login", { body: { email: secret, password: "hunter2hunter2" } });

    const failed = await eventually(async () => {
      const all = await items("action=sign-in.failed&limit=100");
      const ofNobody = all.find(({ subject }) => subject === null);
      if (ofNobody === undefined) throw new Error("not yet");
      return ofNobody;
    });
    expect(failed).to.include({ actor: null, subject: null, object: null, reason: "unknown-user" });
    expect(JSON.stringify(await items("limit=100"))).not.to.include("hunter2");
  });

  it("has the first refusal of a revoked token, with its request", async () => {
    const { id, token } = await person();
    await api.call(`/users/${id}/sign-out`, { token: admin, method: "POST" });
    await eventually(async () => expect(await api.statusOf(token)).to.equal(401));
    for (const request of ["first", "second", "third"]) {
      await api.call("/me", { token, headers: { "x-request-id": request } });
    }

    const [refused] = await recorded(`subject=${id}&action=token.refused`, 1);
    expect(refused).to.include({ actor: null, reason: "user-deactivated", count: 1 });
  });

  it("has the end of a session that its holder ended, and of one whose refresh token came twice", async () => {
    const { id, token } = await person();
    await api.call("/auth/logout", { token, method: "POST", headers: { "x-request-id": "logout-1" } });
    const [ended] = await recorded(`subject=${id}&action=session.ended`, 1);
    expect(ended).to.include({ actor: id, request_id: "logout-1" });

    const other = await person();
    const credentials = { email: other.email, password: "correct horse" };
    const refresh = (token: unknown, headers = {}) =>
      api.call("/auth/refresh", { body: { refresh_token: token }, headers });
    const first = (await api.call("/auth/login", { body: credentials })).body["refresh_token"];
    const second = (await refresh(first)).body["refresh_token"];
    await refresh(second);
    await refresh(first, { "x-request-id": "reuse-1" });
    const [revoked] = await recorded(`subject=${other.id}&action=session.ended`, 1);
    expect(revoked?.["reason"]).to.match(/spent refresh token/);
    expect(revoked?.["request_id"]).to.equal("reuse-1");
  });

  it("is read page by page, and between two times", async () => {
    const placesOf = (some: readonly Item[]) => some.map(({ seq, chain }) => [chain, seq]);
    // Records are written in the background: one that comes between the reads would move the pages.
    await eventually(async () => {
      const first = await api.call("/audit?limit=2", { token: admin });
      const cursor = String(first.body["next_cursor"]);
      const second = await items(`limit=2&cursor=${cursor}`);
      expect(placesOf(second)).to.deep.equal(placesOf((await items("limit=100")).slice(2, 4)));
    });

    const all = await items("limit=100");
    const at = String(all[1]?.["at"]);
    expect((await items(`limit=100&to=${at}`)).every((item) => String(item["at"]) < at)).to.equal(true);
    expect((await items(`limit=100&from=${at}`)).every((item) => String(item["at"]) >= at)).to.equal(true);
  });

  for (const [query, pointer] of [
    ["action=anything", "/action"],
    ["event_id=1", "/event_id"],
    ["from=yesterday", "/from"],
    ["from=2026-01-02T00:00:00Z&to=2026-01-01T00:00:00Z", "/to"],
    ["limit=1000", "/limit"],
    ["cursor=abc", "/cursor"],
    ["subject=a&subject=b", "/subject"],
    ["who=me", "/who"],
  ] as const) {
    it(`refuses ?${query}, and says what is wrong with it`, async () => {
      const answer = await api.call(`/audit?${query}`, { token: admin });
      expectProblem(answer, "validation-failed");
      expect((answer.body["errors"] as Item[])[0]?.["pointer"]).to.equal(pointer);
    });
  }

  it("is for administrators only", async () => {
    expectProblem(await api.call("/audit"), "token-missing");
    expectProblem(await api.call("/audit", { token: (await person()).token }), "forbidden");
  });

  it("is verified as whole while all of that was written", async () => {
    const options = { nowMs: Date.now(), retentionMs: 86_400_000 };
    const { findings, records } = await verifyAudit(world.connectParts().database.audit, options);
    expect(findings).to.deep.equal([]);
    expect(records).to.be.above(20);
  });
});

describe("a request", () => {
  it("waits for no record of it, also while the audit's database hangs, and the instance ends all the same", async () => {
    const world = await createApiWorld();
    await world.startWorker();
    const parts = world.connectParts();
    const append = () => new Promise<never>(() => undefined);
    const audit = { ...parts.database.audit, append };
    const api = await world.startApi({ database: { ...parts.database, audit } });

    const token = await api.signIn();
    for (let times = 0; times < 100; times += 1) {
      await api.call("/auth/login", { body: { email: "nobody@example.com", password: "wrong password" } });
    }
    expect(await api.statusOf(token)).to.equal(200);
    await world.close();
  });
});
