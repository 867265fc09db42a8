import { expect } from "chai";
import { after, before, describe, it } from "mocha";
import type { Answer } from "../support/client.ts";
import { eventually } from "../support/eventually.ts";
import { expectProblem } from "../support/expect-problem.ts";
import { administrator } from "../support/fleet.ts";
import { type ApiWorld, createApiWorld, type TestApi } from "../support/test-api.ts";

const password = "long enough";
const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const time = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;
const receiptMembers = [
  "event_id",
  "type",
  "subject",
  "reason",
  "source",
  "status",
  "requested_at",
  "applied_at",
  "enforced_at",
  "position",
  "instances",
  "tokens_revoked",
];

describe("users and revocations over HTTP", () => {
  let world: ApiWorld;
  let api: TestApi;
  let other: TestApi;
  let token: string;
  let people = 0;

  before(async () => {
    world = await createApiWorld({ settings: { REFRESH_RETRY_SECONDS: 0 } });
    await world.startWorker();
    [api, other] = await Promise.all([world.startApi(), world.startApi()]);
    token = await api.signIn();
  });
  after(() => world.close());

  async function createPerson(more: Record<string, unknown> = {}) {
    people += 1;
    const email = `person-${people}@example.com`;
    const id = await api.createUser(token, { email, password, ...more });
    return { id, email, token: await api.signIn(email, password) };
  }
  const post = (path: string, body?: unknown): Promise<Answer> =>
    api.call(path, { method: "POST", token, ...(body === undefined ? {} : { body }) });
  const get = (path: string): Promise<Answer> => api.call(path, { token });
  const pathOf = (answer: Answer): string => answer.headers.get("location") ?? "";
  const untilEnforced = (answer: Answer): Promise<Answer> =>
    eventually(async () => {
      const receipt = await get(pathOf(answer));
      expect(receipt.body["status"]).to.equal("enforced");
      return receipt;
    });
  const statuses = async (of: string) => [await api.statusOf(of), await other.statusOf(of)];
  function expectReceipt(answer: Answer, status: number, type: string): void {
    expect(answer.status, JSON.stringify(answer.body)).to.equal(status);
    expect(answer.body).to.include.keys(receiptMembers).and.include({ type });
    expect(answer.body["event_id"]).to.match(uuid);
    expect(pathOf(answer)).to.equal(`/revocations/${String(answer.body["event_id"])}`);
    expect(answer.body["requested_at"]).to.match(time);
    expect(answer.body["source"]).to.equal("/quash/test");
  }

  describe("POST /users", () => {
    it("answers with the user, whole, and where he is", async () => {
      const external_ids = [{ iss: "https://idp.example.com", sub: "abc" }];
      const body = { email: " Carol@Example.com", password, roles: ["user", "admin"], external_ids };
      const { status, body: user, headers } = await post("/users", body);

      expect(status).to.equal(201);
      expect(user).to.have.all.keys(
        "id",
        "email",
        "roles",
        "status",
        "epoch",
        "external_ids",
        "created_at",
        "status_changed_at",
      );
      expect(user).to.deep.include({
        email: "carol@example.com",
        roles: ["user", "admin"],
        status: "active",
        epoch: 0,
        external_ids,
      });
      expect([user["id"], user["created_at"], user["status_changed_at"]].map(String)).to.satisfy(
        ([id = "", created = "", changed = ""]: string[]) =>
          uuid.test(id) && time.test(created) && time.test(changed),
      );
      expect(headers.get("location")).to.equal(`/users/${String(user["id"])}`);
      expect((await get(headers.get("location") ?? "")).body).to.deep.equal(user);
    });

    it("gives the role of a user unless told otherwise", async () => {
      expect((await post("/users", { email: "dan@example.com", password })).body["roles"]).to.deep.equal([
        "user",
      ]);
    });

    it("refuses an address and an external identity that are in use", async () => {
      const external_ids = [{ iss: "i", sub: "taken" }];
      await post("/users", { email: "eve@example.com", password, external_ids });
      expectProblem(await post("/users", { email: "EVE@example.com", password }), "email-taken");
      expectProblem(
        await post("/users", { email: "eve2@example.com", password, external_ids }),
        "external-identity-taken",
      );
    });
  });

  describe("GET /users", () => {
    it("gives every user once, page by page", async () => {
      for (let count = 0; count < 5; count += 1) await createPerson();
      const seen: string[] = [];
      let query = "?limit=2";
      for (;;) {
        const { status, body } = await get(`/users${query}`);
        expect(status).to.equal(200);
        expect(body).to.have.all.keys("items", "next_cursor");
        const ids = idsOf(body["items"], "id");
        expect(ids).to.have.length.within(1, 2);
        seen.push(...ids);
        if (body["next_cursor"] === null) break;
        query = `?limit=2&cursor=${JSON.stringify(body["next_cursor"]).slice(1, -1)}`;
      }
      const all = idsOf((await get("/users?limit=100")).body["items"], "id");
      expect(seen).to.deep.equal(all).and.have.length.at.least(6);
    });

    it("finds by address, however it is written, and by status", async () => {
      const person = await createPerson();
      await post(`/users/${person.id}/deactivate`);
      const idsAt = async (query: string) => idsOf((await get(`/users?${query}`)).body["items"], "id");

      expect(await idsAt(`email=${person.email.toUpperCase()}`)).to.deep.equal([person.id]);
      expect(await idsAt("email=nobody@example.com")).to.deep.equal([]);
      expect(await idsAt("status=deactivated&limit=100")).to.include(person.id);
      expect(await idsAt("status=active&limit=100")).to.not.include(person.id);
    });
  });

  describe("who may", () => {
    const id = "7a0b8f0e-2f7d-4a53-8a43-1b2f0a6f4c55";
    const calls: [method: string, path: string][] = [
      ["POST", "/users"],
      ["GET", "/users"],
      ["GET", `/users/${id}`],
      ["POST", `/users/${id}/deactivate`],
      ["POST", `/users/${id}/sign-out`],
      ["POST", `/users/${id}/reactivate`],
      ["DELETE", `/users/${id}`],
      ["POST", `/tokens/${id}/revoke`],
      ["GET", `/tokens/${id}/explain`],
      ["GET", "/audit"],
      ["GET", "/revocations"],
      ["GET", `/revocations/${id}`],
      ["GET", "/instances"],
    ];
    for (const [method, path] of calls) {
      it(`${method} ${path.replace(id, ":id")}: an administrator, and nobody else`, async () => {
        expectProblem(await api.call(path, { method }), "token-missing");
        const { token: theirs } = await createPerson();
        expectProblem(await api.call(path, { method, token: theirs }), "forbidden");
      });
    }
  });

  describe("POST /users/:id/deactivate", () => {
    it("answers 202 with a receipt that can be read at once, and ends as enforced by every instance", async () => {
      const person = await createPerson();
      const answer = await post(`/users/${person.id}/deactivate`, { reason: "left" });

      expectReceipt(answer, 202, "user.deactivated");
      expect(answer.body).to.have.all.keys(receiptMembers);
      expect(answer.body).to.deep.include({
        subject: person.id,
        reason: "left",
        status: "pending",
        applied_at: null,
        enforced_at: null,
        position: null,
        instances: [],
        tokens_revoked: 0,
      });
      expect((await get(pathOf(answer))).status).to.equal(200);

      const { body } = await untilEnforced(answer);
      expect(body).to.have.all.keys(receiptMembers);
      expect(body).to.include({
        event_id: answer.body["event_id"],
        requested_at: answer.body["requested_at"],
        reason: "left",
        tokens_revoked: 1,
      });
      expect([body["applied_at"], body["enforced_at"]].map(String)).to.satisfy((times: string[]) =>
        times.every((text) => time.test(text)),
      );
      expect(body["position"]).to.be.a("string");
      const instances = Array.isArray(body["instances"]) ? body["instances"] : [];
      expect(instances.map(({ id, state }) => [id, state])).to.have.deep.members([
        [api.api.instanceId, "enforced"],
        [other.api.instanceId, "enforced"],
      ]);
      expect(instances[0]).to.have.all.keys("id", "state", "at");
      for (const one of [api, other])
        expectProblem(await one.call("/me", { token: person.token }), "user-deactivated");
      expect((await get(`/users/${person.id}`)).body).to.include({ status: "deactivated", epoch: 1 });
    });

    it("with wait=enforced answers 200 once every instance refuses", async () => {
      const person = await createPerson();
      const answer = await post(`/users/${person.id}/deactivate?wait=enforced&timeout_ms=5000`);

      expectReceipt(answer, 200, "user.deactivated");
      expect(answer.body["status"]).to.equal("enforced");
      expect(await statuses(person.token)).to.deep.equal([401, 401]);
    });

    it("again answers 200 with the same receipt, and raises nothing", async () => {
      const person = await createPerson();
      const first = await untilEnforced(await post(`/users/${person.id}/deactivate`, { reason: "left" }));
      for (const path of ["deactivate", "deactivate?wait=enforced"]) {
        const again = await post(`/users/${person.id}/${path}`, { reason: "another" });
        expectReceipt(again, 200, "user.deactivated");
        expect(again.body).to.deep.equal(first.body);
      }
      expect((await get(`/users/${person.id}`)).body["epoch"]).to.equal(1);
    });
  });

  it("POST /users/:id/sign-out kills every token, and the user signs in again at once", async () => {
    const person = await createPerson();
    const second = await api.signIn(person.email, password);
    const answer = await post(`/users/${person.id}/sign-out`, { reason: "lost phone" });

    expectReceipt(answer, 202, "user.signed-out");
    expect((await untilEnforced(answer)).body).to.include({ tokens_revoked: 2, reason: "lost phone" });
    expect([await statuses(person.token), await statuses(second)]).to.deep.equal([
      [401, 401],
      [401, 401],
    ]);
    expect(await statuses(await api.signIn(person.email, password))).to.deep.equal([200, 200]);
    expect((await get(`/users/${person.id}`)).body).to.include({ status: "active", epoch: 1 });
  });

  it("POST /users/:id/reactivate lets the user sign in again, and leaves the old tokens dead", async () => {
    const person = await createPerson();
    await post(`/users/${person.id}/deactivate?wait=enforced`);
    const answer = await post(`/users/${person.id}/reactivate`);

    expect([answer.status, answer.body["status"], answer.body["id"]]).to.deep.equal([
      200,
      "active",
      person.id,
    ]);
    expect(await statuses(await api.signIn(person.email, password))).to.deep.equal([200, 200]);
    expect(await statuses(person.token)).to.deep.equal([401, 401]);
    expect((await post(`/users/${person.id}/reactivate`)).status).to.equal(200);
  });

  it("DELETE /users/:id kills every token, and the user is not found afterwards", async () => {
    const person = await createPerson();
    const answer = await api.call(`/users/${person.id}`, { method: "DELETE", token });

    expectReceipt(answer, 202, "user.deleted");
    await untilEnforced(answer);
    expect(await statuses(person.token)).to.deep.equal([401, 401]);
    for (const path of ["", "/deactivate", "/sign-out", "/reactivate"]) {
      const method = path === "" ? "GET" : "POST";
      expectProblem(await api.call(`/users/${person.id}${path}`, { method, token }), "not-found", path);
    }
    expectProblem(await api.call(`/users/${person.id}`, { method: "DELETE", token }), "not-found");
    expectProblem(
      await api.call("/auth/login", { body: { email: person.email, password } }),
      "credentials-invalid",
    );
    expect((await get(`/users?email=${person.email}`)).body["items"]).to.deep.equal([]);
    expect((await post("/users", { email: person.email, password })).status).to.equal(201);
  });

  describe("POST /tokens/:jti/revoke", () => {
    const jtiOf = async (of: string): Promise<string> => {
      const { body } = await api.call("/me", { token: of });
      return String(Object.fromEntries(Object.entries(body["token"] ?? {}))["jti"]);
    };

    it("kills that token alone", async () => {
      const person = await createPerson();
      const second = await api.signIn(person.email, password);
      const jti = await jtiOf(person.token);
      const answer = await post(`/tokens/${jti}/revoke`, { reason: "leaked" });

      expectReceipt(answer, 202, "token.revoked");
      expect(answer.body).to.include({ jti, subject: person.id, reason: "leaked" });
      expect((await untilEnforced(answer)).body).to.include({ jti, tokens_revoked: 1 });
      for (const one of [api, other])
        expectProblem(await one.call("/me", { token: person.token }), "token-revoked");
      expect(await statuses(second)).to.deep.equal([200, 200]);
      const listed = (await get(`/revocations?jti=${jti}`)).body["items"];
      expect(idsOf(listed, "event_id")).to.deep.equal([answer.body["event_id"]]);
    });

    it("again answers with the same receipt", async () => {
      const person = await createPerson();
      const jti = await jtiOf(person.token);
      const first = await untilEnforced(await post(`/tokens/${jti}/revoke`));
      const again = await post(`/tokens/${jti}/revoke`);

      expectReceipt(again, 202, "token.revoked");
      expect(again.body).to.deep.equal(first.body);
    });

    it("of a token that nobody was given is not found", async () => {
      expectProblem(await post("/tokens/7a0b8f0e-2f7d-4a53-8a43-1b2f0a6f4c55/revoke"), "not-found");
    });
  });

  describe("GET /revocations", () => {
    it("gives the receipts of a subject, the latest first, page by page", async () => {
      const person = await createPerson();
      const made: string[] = [];
      for (const change of ["sign-out", "deactivate", "reactivate", "deactivate"]) {
        const answer = await post(`/users/${person.id}/${change}`);
        if (change !== "reactivate") {
          made.unshift(String(answer.body["event_id"]));
          await untilEnforced(answer);
        }
      }
      const first = await get(`/revocations?subject=${person.id}&limit=3`);
      expect(first.status).to.equal(200);
      expect(first.body).to.have.all.keys("items", "next_cursor");
      const rest = await get(
        `/revocations?subject=${person.id}&limit=3&cursor=${String(first.body["next_cursor"])}`,
      );
      const all = [...itemsOf(first.body["items"]), ...itemsOf(rest.body["items"])];

      expect(rest.body["next_cursor"]).to.equal(null);
      expect(all.filter((r) => r["type"] !== "user.reactivated").map((r) => r["event_id"])).to.deep.equal(
        made,
      );
      expect(all).to.have.length(4);
    });

    it("finds nothing of an unknown subject, whatever its form", async () => {
      for (const subject of ["u-123", "7a0b8f0e-2f7d-4a53-8a43-1b2f0a6f4c55"]) {
        const { body } = await get(`/revocations?subject=${subject}`);
        expect(body).to.deep.equal({ items: [], next_cursor: null });
      }
    });
  });

  it("GET /instances shows who is there, and how far", async () => {
    const { status, body } = await get("/instances");
    expect(status).to.equal(200);
    const items = itemsOf(body["items"]);
    expect(items.map(({ id, state }) => [id, state])).to.have.deep.members([
      [api.api.instanceId, "fresh"],
      [other.api.instanceId, "fresh"],
    ]);
    expect(items[0]).to.have.all.keys("id", "position", "state", "last_sync_at", "entries");
    expect(items[0]?.["last_sync_at"]).to.match(time);
    expect(items[0]?.["entries"]).to.be.a("number");
  });

  describe("sessions", () => {
    const grantOf = async (path: string, body: unknown) => {
      const { status, body: grant, headers } = await api.call(path, { body });
      expect(status).to.equal(200);
      expect(headers.get("cache-control")).to.equal("no-store");
      expect(grant).to.have.all.keys(
        "access_token",
        "token_type",
        "expires_in",
        "refresh_token",
        "refresh_expires_in",
      );
      expect(grant).to.include({ token_type: "Bearer", expires_in: 900 });
      return { access: String(grant["access_token"]), refresh: String(grant["refresh_token"]) };
    };

    it("GET /me says whose token it is", async () => {
      const person = await createPerson();
      const { status, body } = await other.call("/me", { token: person.token });
      expect(status).to.equal(200);
      expect(body).to.have.all.keys("id", "email", "roles", "token", "instance");
      expect(body).to.deep.include({
        id: person.id,
        email: person.email,
        roles: ["user"],
        instance: other.api.instanceId,
      });
      expect(body["token"]).to.have.all.keys("jti", "issued_at", "expires_at", "epoch");
    });

    it("a refresh token is spent once; used again it ends the whole session", async () => {
      const { email } = await createPerson();
      const first = await grantOf("/auth/login", { email, password });
      const second = await grantOf("/auth/refresh", { refresh_token: first.refresh });
      expect(await statuses(second.access)).to.deep.equal([200, 200]);
      expect(second.refresh).to.not.equal(first.refresh);

      expectProblem(
        await api.call("/auth/refresh", { body: { refresh_token: first.refresh } }),
        "refresh-token-invalid",
      );

      expectProblem(
        await api.call("/auth/refresh", { body: { refresh_token: second.refresh } }),
        "refresh-token-invalid",
      );
      await eventually(async () => {
        expect([await statuses(first.access), await statuses(second.access)]).to.deep.equal([
          [401, 401],
          [401, 401],
        ]);
      });
    });

    it("a refresh token that is none is refused", async () => {
      for (const refresh_token of ["x", "A".repeat(107)]) {
        expectProblem(await api.call("/auth/refresh", { body: { refresh_token } }), "refresh-token-invalid");
      }
    });

    it("logout kills the session's tokens, and no other session", async () => {
      const { email } = await createPerson();
      const first = await grantOf("/auth/login", { email, password });
      const second = await grantOf("/auth/refresh", { refresh_token: first.refresh });
      const elsewhere = await grantOf("/auth/login", { email, password });
      const answer = await api.call("/auth/logout", { method: "POST", token: second.access });

      expect([answer.status, answer.body]).to.deep.equal([204, {}]);
      await eventually(async () => {
        expect([await statuses(first.access), await statuses(second.access)]).to.deep.equal([
          [401, 401],
          [401, 401],
        ]);
      });
      expectProblem(
        await api.call("/auth/refresh", { body: { refresh_token: second.refresh } }),
        "refresh-token-invalid",
      );
      expect(await statuses(elsewhere.access)).to.deep.equal([200, 200]);
    });

    it("a wrong password, an unknown and a deactivated user get the same answer", async () => {
      const active = await createPerson();
      const gone = await createPerson();
      await post(`/users/${gone.id}/deactivate`);
      const attempts = [
        { email: active.email, password: "wrong password" },
        { email: "unknown@example.com", password },
        { email: gone.email, password },
      ];
      const bodies: unknown[] = [];
      for (const body of attempts) {
        const answer = await api.call("/auth/login", { body });
        expectProblem(answer, "credentials-invalid");
        bodies.push({ ...answer.body, request_id: "" });
      }
      expect(bodies[1]).to.deep.equal(bodies[0]);
      expect(bodies[2]).to.deep.equal(bodies[0]);
    });
  });

  describe("for anybody", () => {
    it("GET /.well-known/jwks.json gives the public keys, and nothing of the private ones", async () => {
      const { status, body } = await api.call("/.well-known/jwks.json");
      expect(status).to.equal(200);
      const [key] = itemsOf(body["keys"]);
      expect(key).to.include({ kid: world.keys.signing.kid, alg: world.keys.signing.alg, use: "sig" });
      expect(key).to.not.have.any.keys("d", "p", "q", "k");
    });

    it("GET /livez and /readyz say that it is there and ready, and which checks they made", async () => {
      const alive = await api.call("/livez");
      expect([alive.status, alive.body]).to.deep.equal([200, { status: "ok", checks: {} }]);
      const ready = await api.call("/readyz");
      expect([ready.status, ready.body["status"]]).to.deep.equal([200, "ok"]);
      expect(ready.body["checks"]).to.have.all.keys("replica", "setup", "process");
    });

    it("GET /metrics counts by the pattern of a route, never by its path", async () => {
      await get("/users/7a0b8f0e-2f7d-4a53-8a43-1b2f0a6f4c55");
      const answer = await fetch(`${api.url}/metrics`);
      const text = await answer.text();
      expect(answer.headers.get("content-type")).to.match(/^text\/plain; version=0\.0\.4/);
      expect(text).to.match(
        /http_request_duration_seconds_count\{method="GET",route="\/users\/:id",status_code="404"\} \d/,
      );
      expect(text).to.not.contain("7a0b8f0e");
    });

    it("GET /problems/:slug explains a problem", async () => {
      const { status, body } = await api.call("/problems/token-revoked");
      expect([status, body["type"], body["status"]]).to.deep.equal([200, "/problems/token-revoked", 401]);
      expectProblem(await api.call("/problems/constructor"), "not-found");
    });
  });

  it("two instances that start at once make one administrator", async () => {
    const { body } = await get(`/users?email=${administrator.email}`);
    expect(itemsOf(body["items"])).to.have.length(1);
  });
});

function itemsOf(items: unknown): Record<string, unknown>[] {
  return Array.isArray(items) ? items : [];
}

function idsOf(items: unknown, name: string): string[] {
  return itemsOf(items).map((item) => String(item[name]));
}
