import { expect } from "chai";
import { after, before, describe, it } from "mocha";
import { createDeleteClient } from "../../api/clients/delete-client.ts";
import { createChangeUser } from "../../api/users/change-user.ts";
import { silentAudit } from "../../shared/audit/audit.ts";
import { createGuardAdministrators } from "../../shared/holds/guard-administrators.ts";
import type { Database } from "../../shared/ports/database.ts";
import { eventually } from "../support/eventually.ts";
import { expectProblem } from "../support/expect-problem.ts";
import { createTestClient, expectRefusal, postForm, type TestClient } from "../support/oauth-client.ts";
import { type ApiWorld, createApiWorld, namespace, type TestApi } from "../support/test-api.ts";

const password = "long enough";

describe("OAuth over HTTP", () => {
  let world: ApiWorld;
  let api: TestApi;
  let other: TestApi;
  let database: Database;
  let root: string;
  let operator: TestClient;
  let plain: TestClient;
  let people = 0;

  before(async () => {
    world = await createApiWorld();
    await world.startWorker();
    [api, other] = await Promise.all([world.startApi(), world.startApi()]);
    root = await api.signIn();
    ({ database } = world.connectParts());
    operator = await createTestClient(database, world.platform, ["operator"]);
    plain = await createTestClient(database, world.platform);
  });
  after(() => world.close());

  const post = (path: string, form: Record<string, string>, client: TestClient | null = operator) =>
    postForm(api.url, path, { form, ...(client && { headers: client.basic }) });
  const introspect = (token: string, client: TestClient | null = plain) =>
    post("/oauth/introspect", { token }, client);
  const revoke = (token: string, client: TestClient | null = operator) =>
    post("/oauth/revoke", { token }, client);

  async function signIn() {
    people += 1;
    const email = `p${people}@example.com`;
    const id = await api.createUser(root, { email, password });
    const { body } = await api.call("/auth/login", { body: { email, password } });
    return { id, access: String(body["access_token"]), refresh: String(body["refresh_token"]) };
  }

  async function serviceToken(client: TestClient, scope?: string): Promise<string> {
    const form = { grant_type: "client_credentials", ...(scope !== undefined && { scope }) };
    const { status, body } = await post("/oauth/token", form, client);
    expect(status, JSON.stringify(body)).to.equal(200);
    return String(body["access_token"]);
  }

  const untilRefused = (token: string) =>
    eventually(async () => {
      const statuses = await Promise.all([api, other].map((at) => at.statusOf(token)));
      expect(statuses).to.deep.equal([401, 401]);
    });

  describe("POST /oauth/introspect", () => {
    it("tells what is in a token that would be accepted", async () => {
      const { id, access } = await signIn();
      const { status, headers, body } = await introspect(access);

      expect([status, headers.get("cache-control")]).to.deep.equal([200, "no-store"]);
      expect(body).to.include({
        active: true,
        token_type: "Bearer",
        sub: id,
        client_id: "quash",
        scope: "user",
      });
      expect(body).to.include.keys("iss", "aud", "exp", "iat", "jti", "sid", "epoch", "roles");
    });

    it("tells nothing of a revoked one, nor of one whose user is deactivated", async () => {
      const [one, two] = [await signIn(), await signIn()];
      await revoke(one.access);
      await api.call(`/users/${two.id}/deactivate`, { method: "POST", token: root });
      await Promise.all([untilRefused(one.access), untilRefused(two.access)]);

      for (const { access } of [one, two])
        expect((await introspect(access)).body).to.deep.equal({ active: false });
    });

    for (const token of ["x", "a.b.c", "é", "A".repeat(9_000), "{}", "\u0000"]) {
      it(`tells nothing of ${JSON.stringify(token.slice(0, 5))} of ${token.length} characters`, async () => {
        const { status, body } = await introspect(token);
        expect([status, body]).to.deep.equal([200, { active: false }]);
      });
    }

    it("tells nothing of a forged one, nor of a refresh token", async () => {
      const { access, refresh } = await signIn();
      expect((await introspect(`${access.slice(0, -8)}AAAAAAAA`)).body).to.deep.equal({ active: false });
      expect((await introspect(refresh)).body).to.deep.equal({ active: false });
    });

    it("takes an operator's or a client's access token instead of the client's secret", async () => {
      const { access } = await signIn();
      const ask = (token: string) =>
        postForm(api.url, "/oauth/introspect", {
          form: { token: access },
          headers: { authorization: `Bearer ${token}` },
        });

      expect((await ask(root)).body).to.include({ active: true });
      expect((await ask(await serviceToken(plain))).body).to.include({ active: true });
      expectRefusal(await ask(access), 403, "insufficient_scope");
      const refused = await ask("x");
      expect([refused.status, refused.body["error"]]).to.deep.equal([401, "invalid_token"]);
      expect(refused.headers.get("www-authenticate")).to.match(
        /^Bearer realm="quash", error="invalid_token"/,
      );
    });

    for (const name of ["access_token", "client_secret", "client_assertion"]) {
      it(`takes no ${name} in the form beside a token in the header`, async () => {
        const headers = { authorization: `Bearer ${root}` };
        for (const path of ["/oauth/introspect", "/oauth/revoke"]) {
          const answer = await postForm(api.url, path, { form: { token: "x", [name]: root }, headers });
          expectRefusal(answer, 400, "invalid_request");
        }
      });
    }

    it("is not for emitters", async () => {
      const emitter = await createTestClient(database, world.platform, ["emitter"]);
      expectRefusal(await introspect(root, emitter), 403, "insufficient_scope");
    });
  });

  describe("POST /oauth/revoke", () => {
    it("revokes a user's access token everywhere", async () => {
      const { access } = await signIn();
      const answer = await revoke(access);

      expect([answer.status, answer.text]).to.deep.equal([200, ""]);
      await untilRefused(access);
      expect((await revoke(access)).status).to.equal(200);
    });

    it("revokes a refresh token with its session and its tokens", async () => {
      const { access, refresh } = await signIn();
      const { status } = await post("/oauth/revoke", { token: refresh, token_type_hint: "refresh_token" });

      expect(status).to.equal(200);
      expectProblem(
        await other.call("/auth/refresh", { body: { refresh_token: refresh } }),
        "refresh-token-invalid",
      );
      await untilRefused(access);
    });

    it("pays no heed to a hint that is wrong or unknown", async () => {
      for (const token_type_hint of ["refresh_token", "id_token"]) {
        const { access } = await signIn();
        expect((await post("/oauth/revoke", { token: access, token_type_hint })).status).to.equal(200);
        await untilRefused(access);
      }
    });

    for (const token of ["x", "a.b.c", "A".repeat(107), "\u0000"]) {
      it(`has nothing to do for ${JSON.stringify(token.slice(0, 5))} of ${token.length} characters`, async () => {
        expect((await revoke(token)).status).to.equal(200);
      });
    }

    it("lets a client revoke its own tokens, and nobody else's", async () => {
      const { access, refresh } = await signIn();
      const own = await serviceToken(plain);
      for (const token of [access, refresh, await serviceToken(operator)])
        expectRefusal(await revoke(token, plain), 400, "unauthorized_client");

      expect((await revoke(own, plain)).status).to.equal(200);
      await untilRefused(own);
      expect(await other.statusOf(access)).to.equal(200);
    });

    it("does not say whether a token that it refuses is forged: that is no token at all", async () => {
      const { access } = await signIn();
      expect((await revoke(`${access.slice(0, -8)}AAAAAAAA`, plain)).status).to.equal(200);
      expect(await api.statusOf(access)).to.equal(200);
    });

    it("wants a token", async () => {
      expectRefusal(await post("/oauth/revoke", {}), 400, "invalid_request");
      expectRefusal(await post("/oauth/revoke", { token: "" }), 400, "invalid_request");
    });
  });

  describe("POST /oauth/token", () => {
    it("gives a client an access token of its own, with its roles", async () => {
      const answer = await post("/oauth/token", { grant_type: "client_credentials" });
      expect([answer.status, answer.headers.get("cache-control")]).to.deep.equal([200, "no-store"]);
      expect(answer.body).to.have.all.keys("access_token", "token_type", "expires_in", "scope");
      expect(answer.body).to.include({ token_type: "Bearer", expires_in: 900, scope: "operator" });

      const { body } = await introspect(String(answer.body["access_token"]));
      expect(body).to.include({ active: true, sub: operator.id, client_id: operator.id, scope: "operator" });
      expect(
        (await other.call("/instances", { token: String(answer.body["access_token"]) })).status,
      ).to.equal(200);
    });

    it("names no scope for a client without roles", async () => {
      const { status, body } = await post("/oauth/token", { grant_type: "client_credentials" }, plain);
      expect([status, Object.keys(body)]).to.deep.equal([200, ["access_token", "token_type", "expires_in"]]);
    });

    it("gives less where less is asked for, and never more", async () => {
      const both = await createTestClient(database, world.platform, ["operator", "emitter"]);
      const emitter = await serviceToken(both, "emitter");
      expectProblem(await api.call("/instances", { token: emitter }), "forbidden");
      for (const scope of ["admin", "operator admin", "user", " ", "operator  emitter"]) {
        const form = { grant_type: "client_credentials", scope };
        expectRefusal(await post("/oauth/token", form, both), 400, "invalid_scope");
      }
    });

    for (const grant_type of ["password", "authorization_code", "refresh_token", "CLIENT_CREDENTIALS"]) {
      it(`knows no grant type ${grant_type}`, async () => {
        expectRefusal(await post("/oauth/token", { grant_type }), 400, "unsupported_grant_type");
      });
    }

    it("wants a grant type", async () => {
      expectRefusal(await post("/oauth/token", {}), 400, "invalid_request");
    });
  });

  describe("a service token", () => {
    it("goes with its client when that is deleted, and the client gets no other", async () => {
      const client = await createTestClient(database, world.platform, ["operator"]);
      const token = await serviceToken(client);
      expect(await api.statusOf(token)).to.equal(200);
      const deps = {
        ...world.platform,
        ...database,
        guardAdministrators: createGuardAdministrators({ ...world.platform, ...database }),
        audit: silentAudit,
        namespace,
        publish: () => undefined,
      };
      const deleteUser = createChangeUser(deps, "user.deleted");
      const deleteClient = createDeleteClient({ clients: database.clients, audit: silentAudit, deleteUser });

      expect(await deleteClient(client.id, "the test")).to.be.a("string");
      await untilRefused(token);
      expectRefusal(
        await post("/oauth/token", { grant_type: "client_credentials" }, client),
        401,
        "invalid_client",
      );
    });

    it("goes when somebody deactivates its client as a user, with a receipt", async () => {
      const client = await createTestClient(database, world.platform, ["operator"]);
      const token = await serviceToken(client);
      const path = `/users/${client.id}/deactivate?wait=enforced`;
      const { status, body } = await api.call(path, { method: "POST", token: root });

      expect([status, body["status"]]).to.deep.equal([200, "enforced"]);
      expect(await other.statusOf(token)).to.equal(401);
      for (const door of ["/oauth/token", "/oauth/revoke", "/oauth/introspect"]) {
        const form = { grant_type: "client_credentials", token };
        expectRefusal(await post(door, form, client), 401, "invalid_client");
      }

      await api.call(`/users/${client.id}/reactivate`, { method: "POST", token: root });
      expect(await other.statusOf(await serviceToken(client))).to.equal(200);
      expect(await other.statusOf(token)).to.equal(401);
    });

    it("cannot be had by signing in as its client", async () => {
      const email = `${operator.id}@clients.invalid`;
      for (const guess of [operator.secret, operator.id, ""].filter((text) => text.length > 0))
        expectProblem(
          await api.call("/auth/login", { body: { email, password: guess } }),
          "credentials-invalid",
        );
    });
  });

  describe("the metadata", () => {
    it("name the endpoints below the issuer, whatever host was called", async () => {
      const path = "/.well-known/oauth-authorization-server";
      const { status, headers, body } = await api.call(path, {
        headers: { "x-forwarded-host": "evil.example" },
      });

      expect([status, headers.get("cache-control")]).to.deep.equal([200, "public, max-age=300"]);
      const methods = ["client_secret_basic", "private_key_jwt"];
      const issuer = world.defaults.TOKEN_ISSUER;
      expect(body).to.deep.include({
        issuer,
        token_endpoint: `${issuer}/oauth/token`,
        token_endpoint_auth_methods_supported: methods,
        revocation_endpoint: `${issuer}/oauth/revoke`,
        revocation_endpoint_auth_methods_supported: methods,
        introspection_endpoint: `${issuer}/oauth/introspect`,
        introspection_endpoint_auth_methods_supported: methods,
        jwks_uri: `${issuer}/.well-known/jwks.json`,
        grant_types_supported: ["client_credentials"],
        response_types_supported: [],
      });
    });
  });
});

describe("POST /oauth/revoke for a token that has expired and is still accepted", () => {
  let world: ApiWorld;

  before(async () => {
    world = await createApiWorld({ settings: { TOKEN_LIFETIME_SECONDS: 2, CLOCK_TOLERANCE_SECONDS: 30 } });
    await world.startWorker();
  });
  after(() => world.close());

  it("revokes it within the clock tolerance", async () => {
    const api = await world.startApi();
    const token = await api.signIn();
    const { body } = await api.call("/me", { token });
    const { expires_at: expiresAt } = body["token"] as { expires_at: string };
    await eventually(() => expect(Date.now()).to.be.at.least(Date.parse(expiresAt) + 1_000));
    expect(await api.statusOf(token)).to.equal(200);

    const { basic } = await createTestClient(world.connectParts().database, world.platform, ["operator"]);
    const revoked = await postForm(api.url, "/oauth/revoke", { form: { token }, headers: basic });
    expect(revoked.status).to.equal(200);
    await eventually(async () => expect(await api.statusOf(token)).to.equal(401));
  });
});

describe("the metadata of an issuer with a path", () => {
  let world: ApiWorld;

  before(async () => {
    const TOKEN_ISSUER = "https://quash.example/tenants/a(1)/";
    world = await createApiWorld({ settings: { TOKEN_ISSUER } });
    await world.startWorker();
  });
  after(() => world.close());

  it("stand where clients look for them, and nowhere below", async () => {
    const { url } = await world.startApi();
    const at = async (path: string) => {
      const answer = await fetch(`${url}/.well-known/oauth-authorization-server${path}`);
      const { issuer } = (await answer.json()) as { issuer?: string };
      return [answer.status, issuer];
    };
    const found = [200, "https://quash.example/tenants/a(1)/"];
    expect([await at(""), await at("/tenants/a(1)")]).to.deep.equal([found, found]);
    expect((await at("/tenants"))[0]).to.equal(404);
  });
});
