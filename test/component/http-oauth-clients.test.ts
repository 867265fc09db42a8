import { generateKeyPairSync, randomUUID } from "node:crypto";
import { expect } from "chai";
import { after, before, describe, it } from "mocha";
import type { Database } from "../../shared/ports/database.ts";
import {
  type AssertionParts,
  assertionForm,
  basicOf,
  createKeyedClient,
  createTestClient,
  expectRefusal,
  type KeyedClient,
  type Parameters,
  postForm,
  type TestClient,
} from "../support/oauth-client.ts";
import { type ApiWorld, createApiWorld, cuttable, sendRaw, type TestApi } from "../support/test-api.ts";

const doors = ["/oauth/token", "/oauth/revoke", "/oauth/introspect"];
const grant = { grant_type: "client_credentials", token: "x" };

describe("OAuth clients over HTTP", () => {
  let world: ApiWorld;
  let api: TestApi;
  let other: TestApi;
  let database: Database;
  let client: TestClient;
  let keyed: KeyedClient;

  before(async () => {
    // So many refusals of one client are their own test's: http-oauth-limits.
    world = await createApiWorld({
      settings: { LOGIN_FAILURES_PER_ACCOUNT: 0, LOGIN_FAILURES_PER_ADDRESS: 0 },
    });
    await world.startWorker();
    [api, other] = await Promise.all([world.startApi(), world.startApi()]);
    ({ database } = world.connectParts());
    client = await createTestClient(database, world.platform, ["operator"]);
    keyed = await createKeyedClient(database, world.platform);
  });
  after(() => world.close());

  const send = (form: Parameters, headers: Record<string, string> = {}, path = "/oauth/token") =>
    postForm(api.url, path, { form, headers });
  const issuer = () => world.defaults.TOKEN_ISSUER;

  describe("with a secret", () => {
    const unknown = randomUUID();
    const wrong: [what: string, authorization: () => string | null][] = [
      ["nothing", () => null],
      ["a wrong secret", () => basicOf(client.id, `${client.secret}x`).authorization],
      ["an empty secret", () => basicOf(client.id, "").authorization],
      ["its hash", () => basicOf(client.id, "0".repeat(64)).authorization],
      ["an unknown id", () => basicOf(unknown, client.secret).authorization],
      ["an id that is none", () => basicOf("../../etc/passwd", client.secret).authorization],
      ["the id of one with keys", () => basicOf(keyed.id, "").authorization],
      ["no colon", () => `Basic ${Buffer.from(client.id).toString("base64")}`],
      ["no base64", () => "Basic {}"],
      ["nothing after the scheme", () => "Basic "],
      ["another scheme", () => `Digest ${client.id}`],
      ["an overlong secret", () => basicOf(client.id, "A".repeat(6_000)).authorization],
    ];
    for (const [what, authorization] of wrong) {
      it(`is refused with ${what}, at every door`, async () => {
        const header = authorization();
        for (const door of doors)
          expectRefusal(
            await send(grant, header === null ? {} : { authorization: header }, door),
            401,
            "invalid_client",
          );
      });
    }

    it("is taken in any case of the scheme, and form-encoded", async () => {
      const encoded = [client.id, client.secret].map((part) => part.replaceAll("-", "%2D")).join(":");
      const authorization = `bAsIc ${Buffer.from(encoded).toString("base64")}`;
      expect((await send(grant, { authorization })).status).to.equal(200);
    });

    it("is not taken from the body", async () => {
      const form = { ...grant, client_id: client.id, client_secret: client.secret };
      expectRefusal(await send(form), 401, "invalid_client");
      expectRefusal(await send(form, client.basic), 401, "invalid_client");
    });

    it("may name itself in the body too, but nobody else", async () => {
      expect((await send({ ...grant, client_id: client.id }, client.basic)).status).to.equal(200);
      expectRefusal(await send({ ...grant, client_id: unknown }, client.basic), 400, "invalid_request");
    });

    it("authenticates in one way only", async () => {
      const form = { ...grant, ...assertionForm(keyed, issuer()) };
      expectRefusal(await send(form, client.basic), 400, "invalid_request");
      const lines = [
        "POST /oauth/token HTTP/1.1\r\nhost: x\r\nconnection: close",
        `authorization: ${client.basic.authorization}\r\nauthorization: ${client.basic.authorization}`,
        "content-type: application/x-www-form-urlencoded\r\ncontent-length: 29",
      ];
      const { status, body } = await sendRaw(
        api.port,
        `${lines.join("\r\n")}\r\n\r\ngrant_type=client_credentials`,
      );
      expect([status, body["error"]]).to.deep.equal([400, "invalid_request"]);
    });
  });

  describe("with a key", () => {
    const ask = (parts: AssertionParts = {}, audience = issuer()) =>
      send({ ...grant, ...assertionForm(keyed, audience, parts) });

    it("is taken with an assertion for the issuer or the token endpoint", async () => {
      for (const audience of [issuer(), `${issuer()}/oauth/token`]) {
        const { status, body } = await ask({}, audience);
        expect([status, body["scope"]]).to.deep.equal([200, "operator"]);
      }
      expect((await ask({ claims: { aud: [issuer()] } })).status).to.equal(200);
      expect((await ask({ header: { kid: undefined, typ: undefined } })).status).to.equal(200);
    });

    it("is taken at every door", async () => {
      for (const door of doors) {
        const form = { ...grant, ...assertionForm(keyed, issuer()) };
        expect((await send(form, {}, door)).status, door).to.equal(200);
      }
    });

    const badAt = (nowSeconds: number): Record<string, AssertionParts> => ({
      "for another audience": { claims: { aud: "https://elsewhere.example" } },
      "for the issuer with a slash": { claims: { aud: "https://quash.example/" } },
      "for several audiences": { claims: { aud: ["https://quash.example", "https://elsewhere.example"] } },
      "without an audience": { claims: { aud: undefined } },
      "that has expired": { claims: { exp: nowSeconds - 60 } },
      "that never expires": { claims: { exp: undefined } },
      "that lives an hour": { claims: { exp: nowSeconds + 3_600 } },
      "from the future": { claims: { iat: nowSeconds + 120, exp: nowSeconds + 200 } },
      "that is not valid yet": { claims: { nbf: nowSeconds + 120 } },
      "without a jti": { claims: { jti: undefined } },
      "with a jti that is an object": { claims: { jti: { $ne: null } } },
      "by another issuer": { claims: { iss: "somebody" } },
      "about another client": { claims: { sub: randomUUID() } },
      "about an object": { claims: { sub: { $ne: null } } },
      "with the algorithm none": { header: { alg: "none" } },
      "with a symmetric algorithm": { header: { alg: "HS256" } },
      "with another algorithm than its key's": { header: { alg: "RS256" } },
      "that names another key": { header: { kid: "k2" } },
      "that brings its key along": { header: { jwk: {} } },
      "with critical members": { header: { crit: ["exp"] } },
      "that is an access token": { header: { typ: "at+jwt" } },
      "signed by another key": { key: generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey },
    });
    for (const what of Object.keys(badAt(0))) {
      it(`is refused with an assertion ${what}`, async () => {
        const parts = badAt(Math.floor(Date.now() / 1_000))[what];
        expectRefusal(await ask(parts), 401, "invalid_client");
      });
    }

    it("is refused with what is no assertion", async () => {
      const form = { ...grant, ...assertionForm(keyed, issuer()) };
      for (const client_assertion of ["x", "a.b.c", "A".repeat(9_000), await api.signIn()])
        expectRefusal(await send({ ...form, client_assertion }), 401, "invalid_client");
    });

    it("is refused with another type of assertion, or as another client", async () => {
      const form = { ...grant, ...assertionForm(keyed, issuer()) };
      expectRefusal(await send({ ...form, client_assertion_type: "saml" }), 401, "invalid_client");
      expectRefusal(await send({ ...form, client_id: client.id }), 401, "invalid_client");
      expect((await send({ ...form, client_id: keyed.id })).status).to.equal(200);
    });

    it("is taken once with each assertion, whichever instance gets it", async () => {
      const form = { ...grant, ...assertionForm(keyed, issuer()) };
      const answers = await Promise.all(
        [api, other, api, other].map(({ url }) => postForm(url, "/oauth/token", { form })),
      );
      expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).to.deep.equal([
        200, 401, 401, 401,
      ]);
      expectRefusal(await send(form, {}, "/oauth/introspect"), 401, "invalid_client");
    });
  });

  describe("with a form that is none", () => {
    const forms: [what: string, form: Parameters, status: number][] = [
      ["a parameter twice", "grant_type=client_credentials&grant_type=client_credentials", 400],
      ["a parameter twice, one empty", "grant_type=client_credentials&scope=&scope=operator", 400],
      ["a bad escape", "grant_type=%zz", 400],
      ["an escape that is no UTF-8", "grant_type=%ff", 400],
      ["17 KB", `grant_type=client_credentials&x=${"A".repeat(17_000)}`, 413],
      ["nothing", "", 400],
    ];
    for (const [what, form, status] of forms) {
      it(`is refused with ${what}`, async () => {
        expectRefusal(await send(form, client.basic), status, "invalid_request");
      });
    }

    for (const type of [
      "application/json",
      "text/plain",
      "application/x-www-form-urlencoded; charset=utf-16",
    ]) {
      it(`is refused with the content type ${type}`, async () => {
        const headers = { ...client.basic, "content-type": type };
        expectRefusal(await send(grant, headers), 400, "invalid_request");
      });
    }

    it("is refused with parameters in the address", async () => {
      const answer = await send(grant, client.basic, "/oauth/introspect?token=x");
      expectRefusal(answer, 400, "invalid_request");
    });

    it("is taken with parameters that nobody knows, and __proto__ among them", async () => {
      const form = "grant_type=client_credentials&resource=x&__proto__=y&constructor=z&scope=";
      expect((await send(form, client.basic)).status).to.equal(200);
    });
  });

  describe("where something is away", () => {
    it("are told that the database is, and may come again", async () => {
      world.databaseServer.setAvailable(false);
      try {
        for (const door of doors) {
          const answer = await send(grant, client.basic, door);
          expectRefusal(answer, 503, "temporarily_unavailable");
          expect(Number(answer.headers.get("retry-after"))).to.be.at.least(1);
        }
      } finally {
        world.databaseServer.setAvailable(true);
      }
    });

    it("are answered without it when they bring an access token", async () => {
      const { body } = await send(grant, client.basic);
      const token = String(body["access_token"]);
      world.databaseServer.setAvailable(false);
      try {
        const headers = { authorization: `Bearer ${token}` };
        const answer = await send({ token }, headers, "/oauth/introspect");
        expect([answer.status, answer.body["active"]]).to.deep.equal([200, true]);
      } finally {
        world.databaseServer.setAvailable(true);
      }
    });

    it("are not told that a token is active by an instance that cannot know", async () => {
      const short = await createApiWorld({ settings: { MAX_STALENESS_MS: 1_100 } });
      try {
        await short.startWorker();
        const link = cuttable(short.storeServer.connect());
        const lonely = await short.startApi({ store: link.store });
        const token = await lonely.signIn();
        const asker = await createTestClient(short.connectParts().database, short.platform);
        link.cut();
        while ((await lonely.statusOf(token)) !== 503) await short.platform.timers.sleep(50);

        const answer = await postForm(lonely.url, "/oauth/introspect", {
          form: { token },
          headers: asker.basic,
        });
        expectRefusal(answer, 503, "temporarily_unavailable");
        link.restore();
      } finally {
        await short.close();
      }
    });
  });
});
