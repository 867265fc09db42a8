import { randomUUID } from "node:crypto";
import { expect } from "chai";
import { afterEach, beforeEach, describe, it } from "mocha";
import { createPlatform } from "../../shared/platform.ts";
import { eventually } from "../support/eventually.ts";
import { expectProblem } from "../support/expect-problem.ts";
import { type ApiWorld, createApiWorld, cuttable, type TestApi } from "../support/test-api.ts";

const alice = { email: "alice@example.com", password: "correct horse" };

describe("GET /tokens/:jti/explain", () => {
  let world: ApiWorld;
  let api: TestApi;
  let admin: string;
  let adminId: string;
  let aliceId: string;
  let token: string;
  let jti: string;
  let wallAheadMs: number;

  beforeEach(async () => {
    const platform = createPlatform();
    wallAheadMs = 0;
    const clock = { ...platform.clock, wallMs: () => platform.clock.wallMs() + wallAheadMs };
    world = await createApiWorld({ platform: { ...platform, clock } });
    await world.startWorker();
    api = await world.startApi();
    admin = await api.signIn();
    adminId = String((await api.call("/me", { token: admin })).body["id"]);
    aliceId = await api.createUser(admin, alice);
    token = await api.signIn(alice.email, alice.password);
    jti = jtiOf(token);
  });
  afterEach(() => world.close());

  async function explain(id = jti, from: TestApi = api): Promise<Record<string, unknown>> {
    const { status, body } = await from.call(`/tokens/${id}/explain`, { token: admin });
    expect(status, JSON.stringify(body)).to.equal(200);
    return body;
  }
  const instanceOf = (one: TestApi) => ({ id: one.api.instanceId, state: "enforced" });
  const member = (value: unknown, name: string): unknown => Reflect.get(Object(value), name);

  it("says that nothing hits a good token, and whose it is", async () => {
    const body = await explain();
    expect(body).to.include({
      verdict: "accepted",
      code: null,
      rule: "none",
      by: null,
      since: null,
      event: null,
    });
    expect(body["user"]).to.include({ id: aliceId, status: "active", epoch: 0 });
    expect(body["token"]).to.include({ epoch: 0, session_ended_at: null });
    expect(body["instance"]).to.include({ id: api.api.instanceId, state: "fresh" });
  });

  it("names the deactivation, who asked for it, since when it counts, and who enforces it", async () => {
    const other = await world.startApi();
    const deactivation = { token: admin, body: { reason: "left" } };
    const receipt = (await api.call(`/users/${aliceId}/deactivate?wait=enforced`, deactivation)).body;

    const body = await explain();
    expect(body).to.include({ verdict: "refused", code: "user-deactivated", rule: "cut-off" });
    expect(body["by"]).to.deep.equal({ actor: adminId, source: "/quash/test" });
    expect(body["since"]).to.equal(receipt["applied_at"]).and.not.equal(null);
    expect(body["event"]).to.deep.include({
      event_id: receipt["event_id"],
      reason: "left",
      status: "enforced",
    });
    const instances = member(body["event"], "instances") as Record<string, unknown>[];
    expect(instances.map(({ id, state }) => ({ id, state }))).to.have.deep.members(
      [api, other].map(instanceOf),
    );
    expect(body["user"]).to.include({ status: "deactivated", epoch: 1 });
    expect((await explain(jti, other))["instance"]).to.include({ id: other.api.instanceId });
  });

  it("names the revocation of the one token", async () => {
    const { body: receipt } = await api.call(`/tokens/${jti}/revoke`, {
      token: admin,
      body: { reason: "lost" },
    });
    await eventually(async () => expect(await api.statusOf(token)).to.equal(401));

    const body = await explain();
    expect(body).to.include({ verdict: "refused", code: "token-revoked", rule: "token-revocation" });
    expect(body["event"]).to.include({ event_id: receipt["event_id"], type: "token.revoked" });
  });

  it("names the end of the session", async () => {
    await api.call("/auth/logout", { token, method: "POST" });
    await eventually(async () => expect(await api.statusOf(token)).to.equal(401));

    const body = await explain();
    expect(body).to.include({ verdict: "refused", code: "token-revoked" });
    expect(body["by"]).to.include({ actor: aliceId });
    expect(member(body["token"], "session_ended_at")).to.be.a("string");
  });

  it("names the upstream system whose event it was, and keeps its say-so apart", async () => {
    const envelope = {
      specversion: "1.0",
      id: "up-1",
      source: "/hr",
      type: "user.deactivated",
      subject: aliceId,
    };
    const value = JSON.stringify({ ...envelope, data: { actor: "jdoe", reason: "retired" } });
    const headers = { "content-type": "application/cloudevents+json" };
    await world
      .connectParts()
      .eventLog.publish("events", [{ key: aliceId, value: Buffer.from(value), headers }]);
    await eventually(async () => expect(await api.statusOf(token)).to.equal(401));

    const body = await explain();
    expect(body["by"]).to.deep.equal({ actor: "jdoe", source: "/hr" });
    expect(body["event"]).to.include({ source_event_id: "up-1", reason: "retired" });
  });

  it("says of an instance that has not heard of it that it accepts still, and what is on its way", async () => {
    const { store, cut } = cuttable(world.connectParts().store);
    const deaf = await world.startApi({ store });
    cut();
    const { body: receipt } = await api.call(`/users/${aliceId}/deactivate`, {
      token: admin,
      method: "POST",
    });
    await eventually(async () => expect(await api.statusOf(token)).to.equal(401));

    const body = await explain(jti, deaf);
    expect(body).to.include({ verdict: "accepted", code: null });
    expect(body["event"]).to.include({ event_id: receipt["event_id"], status: "applied" });
    const instances = member(body["event"], "instances") as Record<string, unknown>[];
    expect(instances.find(({ id }) => id === deaf.api.instanceId)).to.include({ state: "pending" });
  });

  it("says that a token's time is over", async () => {
    wallAheadMs = 1_000_000;
    // The clock's step makes the instance stale until its next sync.
    await eventually(async () => {
      admin = await api.signIn();
      expect(await explain()).to.include({ verdict: "refused", code: "token-expired", rule: "time" });
    });
  });

  it("knows nothing of a jti that nobody recorded and no event names, nor of what cannot be one", async () => {
    expectProblem(await api.call(`/tokens/${randomUUID()}/explain`, { token: admin }), "not-found");
    expectProblem(await api.call("/tokens/x/explain", { token: admin }), "not-found");
  });

  it("explains a token that is not recorded by the event that names it", async () => {
    const foreign = randomUUID();
    const envelope = {
      specversion: "1.0",
      id: "up-2",
      source: "/idp",
      type: "token.revoked",
      subject: aliceId,
    };
    const value = JSON.stringify({ ...envelope, data: { jti: foreign } });
    const headers = { "content-type": "application/cloudevents+json" };
    await world
      .connectParts()
      .eventLog.publish("events", [{ key: aliceId, value: Buffer.from(value), headers }]);

    const body = await eventually(async () => {
      const explained = await explain(foreign);
      expect(explained).to.include({ verdict: "refused", code: "token-revoked" });
      return explained;
    });
    expect(body).to.include({ token: null });
    expect(body["event"]).to.include({ source: "/idp", jti: foreign });
  });

  it("is for administrators only", async () => {
    expectProblem(await api.call(`/tokens/${jti}/explain`, { token }), "forbidden");
    expectProblem(await api.call(`/tokens/${jti}/explain`), "token-missing");
  });
});

function jtiOf(token: string): string {
  const claims: unknown = JSON.parse(Buffer.from(token.split(".")[1] ?? "", "base64url").toString());
  return String(Reflect.get(Object(claims), "jti"));
}
