import { expect } from "chai";
import fc from "fast-check";
import { after, before, describe, it } from "mocha";
import type { ErrorCode } from "../../shared/errors.ts";
import { expectProblem } from "../support/expect-problem.ts";
import { type ApiWorld, createApiWorld, sendRaw, type TestApi } from "../support/test-api.ts";

const unknownId = "7a0b8f0e-2f7d-4a53-8a43-1b2f0a6f4c55";

describe("bad requests", () => {
  let world: ApiWorld;
  let api: TestApi;
  let token: string;

  before(async () => {
    world = await createApiWorld();
    await world.startWorker();
    api = await world.startApi();
    token = await api.signIn();
  });
  after(() => world.close());

  /** One request whose lines are given as they are; the connection is closed after it. */
  const raw = (lines: readonly string[], body: string | Uint8Array = "") =>
    sendRaw(
      api.port,
      Buffer.concat([Buffer.from(`${lines.join("\r\n")}\r\n\r\n`, "latin1"), Buffer.from(body)]),
    );
  const get = (path: string, ...headers: string[]) =>
    raw([`GET ${path} HTTP/1.1`, "Host: quash", "Connection: close", ...headers]);
  const post = (path: string, body: string | Uint8Array, ...headers: string[]) =>
    raw(
      [
        `POST ${path} HTTP/1.1`,
        "Host: quash",
        "Connection: close",
        `Authorization: Bearer ${token}`,
        `Content-Length: ${Buffer.byteLength(body)}`,
        ...headers,
      ],
      body,
    );
  const postJson = (path: string, body: string | Uint8Array) =>
    post(path, body, "Content-Type: application/json");

  describe("the Authorization header", () => {
    const cases: [name: string, headers: () => string[], slug: ErrorCode][] = [
      ["T1: none", () => [], "token-missing"],
      ["T2: empty", () => ["Authorization:"], "token-missing"],
      ["T2: only the scheme", () => ["Authorization: Bearer"], "token-missing"],
      ["T2: the scheme and a space", () => ["Authorization: Bearer "], "token-missing"],
      ["T3: Basic", () => ["Authorization: Basic YTpi"], "auth-scheme-unsupported"],
      ["T3: Token", () => [`Authorization: Token ${token}`], "auth-scheme-unsupported"],
      ["T3: JWT", () => [`Authorization: JWT ${token}`], "auth-scheme-unsupported"],
      [
        "T4: two that differ",
        () => [`Authorization: Bearer ${token}`, "Authorization: Bearer x"],
        "auth-ambiguous",
      ],
      [
        "T4: two that do not",
        () => Array<string>(2).fill(`Authorization: Bearer ${token}`),
        "auth-ambiguous",
      ],
      ["T7: a word too many", () => [`Authorization: Bearer ${token} b`], "auth-malformed"],
      ["T7: a list", () => [`Authorization: Bearer ${token},${token}`], "auth-malformed"],
      ["T9: 9 KB", () => [`Authorization: Bearer ${"a".repeat(9_000)}`], "token-too-large"],
      [
        "T12: a byte of latin-1 in it",
        () => [`Authorization: Bearer ${token.replace("e", "\xe9")}`],
        "token-malformed",
      ],
      ["T12: a non-breaking space after it", () => [`Authorization: Bearer ${token}\xa0`], "token-malformed"],
      ["T13: a cookie instead", () => [`Cookie: access_token=${token}`], "token-missing"],
      [
        "S10: JWS in JSON",
        () => ['Authorization: Bearer {"payload":"e30","signature":"e30"}'],
        "token-malformed",
      ],
    ];
    for (const [name, headers, slug] of cases) {
      it(`${name}: ${slug}`, async () => expectProblem(await get("/me", ...headers()), slug));
    }

    it("T5: a token in the query too: auth-ambiguous", async () => {
      expectProblem(
        await get(`/me?access_token=${token}`, `Authorization: Bearer ${token}`),
        "auth-ambiguous",
      );
    });

    it("T6: a token in the query only: token-missing", async () => {
      expectProblem(await get(`/me?access_token=${token}`), "token-missing");
    });

    it("T8: the scheme in lower case is taken", async () => {
      expect((await get("/me", `Authorization: bearer ${token}`)).status).to.equal(200);
    });

    it("a token that nobody signed: algorithm-rejected", async () => {
      const none = Buffer.from('{"alg":"none","typ":"at+jwt"}').toString("base64url");
      expectProblem(
        await get("/me", `Authorization: Bearer ${none}.${token.split(".")[1]}.`),
        "algorithm-rejected",
      );
    });

    it("the token of somebody else's key: key-unknown", async () => {
      const header = Buffer.from('{"alg":"ES256","typ":"at+jwt","kid":"theirs"}').toString("base64url");
      expectProblem(
        await get("/me", `Authorization: Bearer ${header}.${token.split(".").slice(1).join(".")}`),
        "key-unknown",
      );
    });

    it("a token that was changed: signature-invalid", async () => {
      const [header, , signature] = token.split(".");
      const claims = Buffer.from('{"sub":"admin"}').toString("base64url");
      expectProblem(
        await get("/me", `Authorization: Bearer ${header}.${claims}.${signature}`),
        "signature-invalid",
      );
    });
  });

  describe("HTTP itself", () => {
    const cases: [name: string, bytes: string, slug: ErrorCode][] = [
      [
        "B19: two Host headers",
        "GET /me HTTP/1.1\r\nHost: a\r\nHost: b\r\nConnection: close\r\n\r\n",
        "request-malformed",
      ],
      ["B19: no Host header", "GET /me HTTP/1.1\r\nConnection: close\r\n\r\n", "request-malformed"],
      ["B19: a method that there is not", "FETCH /me HTTP/1.1\r\nHost: a\r\n\r\n", "request-malformed"],
      [
        "B19: a length and chunks",
        "POST /auth/login HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "request-malformed",
      ],
      ["no HTTP at all", "hello\r\n\r\n", "request-malformed"],
      [
        "T10: headers of more than 16 KB",
        `GET /me HTTP/1.1\r\nHost: a\r\nX-A: ${"a".repeat(17_000)}\r\n\r\n`,
        "request-header-too-large",
      ],
      ["T11: NUL in a header", "GET /me HTTP/1.1\r\nHost: a\r\nX-A: a\0b\r\n\r\n", "request-malformed"],
      ["T11: a folded header", "GET /me HTTP/1.1\r\nHost: a\r\nX-A: a\r\n b\r\n\r\n", "request-malformed"],
      ["CONNECT", "CONNECT quash:80 HTTP/1.1\r\nHost: quash:80\r\n\r\n", "method-not-allowed"],
      [
        "a chunk that is none",
        "POST /auth/login HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        "request-malformed",
      ],
      [
        "B11: a path that is not percent-encoded",
        "GET /users/%zz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
        "request-malformed",
      ],
    ];
    for (const [name, bytes, slug] of cases) {
      it(`${name}: ${slug}`, async () => expectProblem(await sendRaw(api.port, bytes), slug));
    }

    it("B1: a body that ends early: request-malformed", async () => {
      const head =
        "POST /auth/login HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 99\r\n\r\n";
      expectProblem(await sendRaw(api.port, `${head}{"email"`, true), "request-malformed");
    });

    it("B18: a Host that makes no URL, and forwarded addresses, are of no account", async () => {
      for (const host of ["evil.com:x@good", "[", "a b", ""]) {
        const answer = await raw([
          "GET /me HTTP/1.1",
          `Host: ${host}`,
          "Connection: close",
          "X-Forwarded-For: 10.0.0.1",
          "X-Forwarded-Host: evil.com",
          `Authorization: Bearer ${token}`,
        ]);
        expect([host, answer.status]).to.deep.equal([host, 200]);
      }
    });

    it("takes a target with scheme and authority for its path, whatever stands in it", async () => {
      for (const target of ["http://quash/livez", "http://[/livez", "http://a:99999999/livez"]) {
        expect([target, (await get(target)).status]).to.deep.equal([target, 200]);
      }
      expectProblem(await get("http://quash?x"), "not-found");
    });

    it("tells who asks for the server as a whole which methods there are", async () => {
      const { status, headers } = await raw(["OPTIONS * HTTP/1.1", "Host: a", "Connection: close"]);
      expect([status, headers.get("allow")]).to.deep.equal([204, "DELETE, GET, HEAD, POST, OPTIONS"]);
      expectProblem(await get("*"), "not-found");
    });

    it("refuses two Content-Type headers, whichever would do", async () => {
      const types = ["Content-Type: application/json", "Content-Type: text/plain"];
      for (const sent of [types, types.toReversed()])
        expectProblem(
          await raw(
            ["POST /auth/login HTTP/1.1", "Host: a", ...sent, "Content-Length: 2", "Connection: close"],
            "{}",
          ),
          "request-malformed",
        );
    });

    it("answers HTTP/1.0 without a Host, and an expectation that it does not know", async () => {
      expect((await raw(["GET /livez HTTP/1.0"])).status).to.equal(200);
      expect((await get("/livez", "Expect: miracles")).status).to.equal(200);
    });

    it("B17: whatever is accepted, a problem is problem+json", async () => {
      expectProblem(await get("/me", "Accept: text/html"), "token-missing");
    });

    it("takes a well-formed X-Request-Id, and no other", async () => {
      expect((await get("/me", "X-Request-Id: abc-1")).body["request_id"]).to.equal("abc-1");
      for (const bad of ["a b", "x".repeat(129), '"><']) {
        expect((await get("/me", `X-Request-Id: ${bad}`)).headers.get("x-request-id")).to.match(
          /^[0-9a-f-]{36}$/,
        );
      }
    });
  });

  describe("paths and methods", () => {
    it("paths are taken letter for letter: no other case, no slash at the end", async () => {
      for (const path of ["/ME", "/Livez", "/me/", "/livez/", "/users/", `/USERS/${unknownId}`]) {
        expectProblem(await get(path, `Authorization: Bearer ${token}`), "not-found", path);
      }
      expectProblem(await postJson("/auth/LOGIN", "{}"), "not-found");
      expectProblem(await postJson("/auth/login/", "{}"), "not-found");
    });

    it("unknown paths are not-found, whatever they are made of", async () => {
      for (const path of ["/", "/nothing", "/users/a/b/c", "/%00", `/${"a".repeat(5_000)}`, "/__proto__"]) {
        expectProblem(await get(path), "not-found", path);
      }
    });

    it("B11: ids that cannot be one name nothing", async () => {
      const ids = [
        "..%2f..%2fetc",
        "%2e%2e",
        "%00",
        "1",
        "constructor",
        unknownId.toUpperCase(),
        "a".repeat(5_000),
      ];
      for (const id of [...ids, unknownId]) {
        for (const path of [`/users/${id}`, `/revocations/${id}`]) {
          expectProblem(await get(path, `Authorization: Bearer ${token}`), "not-found", path);
        }
        expectProblem(await post(`/tokens/${id}/revoke`, ""), "not-found", id);
        expectProblem(await post(`/users/${id}/deactivate`, ""), "not-found", id);
      }
    });

    it("B16: another method at a known path is told which ones there are", async () => {
      const answer = await api.call("/me", { method: "PUT" });
      expectProblem(answer, "method-not-allowed");
      expect(answer.headers.get("allow")).to.equal("GET, HEAD, OPTIONS");
      const users = await api.call(`/users/${unknownId}`, { method: "POST", token, body: {} });
      expectProblem(users, "method-not-allowed");
      expect(users.headers.get("allow")).to.equal("DELETE, GET, HEAD, OPTIONS");
    });

    it("B16: HEAD answers as GET without a body, OPTIONS says what can be called", async () => {
      const head = await raw(["HEAD /livez HTTP/1.1", "Host: a", "Connection: close"]);
      expect([head.status, head.text]).to.deep.equal([200, ""]);
      const options = await api.call("/users", { method: "OPTIONS" });
      expect([options.status, options.headers.get("allow")]).to.deep.equal([204, "GET, HEAD, POST, OPTIONS"]);
    });
  });

  describe("query parameters", () => {
    const bad = [
      "limit=-1",
      "limit=0",
      "limit=101",
      "limit=1e9",
      "limit=NaN",
      "limit=",
      "limit=1&limit=2",
      "limit=%zz",
      "cursor=garbage",
      "cursor=",
      "nothing=1",
      "__proto__=1",
      "constructor=1",
      "a~b%2fc=1",
    ];
    for (const path of ["/users", "/revocations"]) {
      for (const query of [...bad, path === "/users" ? "status=gone" : "subject=%00"]) {
        it(`B12: ${path}?${query}: validation-failed`, async () => {
          const answer = await api.call(`${path}?${query}`, { token });
          expectProblem(answer, "validation-failed");
          expect(answer.body["errors"]).to.be.an("array").with.length(1);
        });
      }
    }

    it("names the parameter by an RFC 6901 pointer", async () => {
      const { body } = await api.call("/users?a~b%2fc=1", { token });
      expect(body["errors"]).to.have.nested.property("[0].pointer", "/a~0b~1c");
    });

    it("wait and timeout_ms have their ranges, and other calls take none", async () => {
      for (const path of [
        `/users/${unknownId}/deactivate?wait=applied`,
        `/users/${unknownId}/deactivate?wait=enforced&timeout_ms=30001`,
        `/users/${unknownId}/deactivate?wait=enforced&timeout_ms=-1`,
        `/users/${unknownId}/sign-out?wait=enforced`,
        "/auth/login?x=1",
        "/auth/logout?x=1",
      ]) {
        expectProblem(await api.call(path, { token, method: "POST" }), "validation-failed", path);
      }
    });
  });

  describe("bodies", () => {
    const malformed: [name: string, body: string | Uint8Array][] = [
      ["missing", ""],
      ["not JSON", "email=a"],
      ["cut short", '{"email":"a"'],
      ["null", "null"],
      ["an array", "[]"],
      ["a text", '"a"'],
      ["a number", "1"],
      ["white space", "  "],
      ["not UTF-8", Buffer.from('{"email":"\xff"}', "latin1")],
      ["after a byte order mark", '\uFEFF{"email":"a@b","password":"x"}'],
    ];
    for (const [name, body] of malformed) {
      it(`B1: ${name}: body-malformed`, async () =>
        expectProblem(await postJson("/auth/login", body), "body-malformed"));
    }

    const types = [
      "text/plain",
      "application/x-www-form-urlencoded",
      "application/xml",
      "application/json; charset=utf-16",
      "application/jsonp",
    ];
    for (const type of types) {
      it(`B2: ${type}: unsupported-media-type`, async () =>
        expectProblem(await post("/auth/login", "{}", `Content-Type: ${type}`), "unsupported-media-type"));
    }

    it("B2: no content type, and a content encoding: unsupported-media-type", async () => {
      expectProblem(await post("/auth/login", "{}"), "unsupported-media-type");
      expectProblem(
        await post("/auth/login", "{}", "Content-Type: application/json", "Content-Encoding: gzip"),
        "unsupported-media-type",
      );
    });

    it("B3: more than 16 KB, announced or in chunks: request-too-large, and the connection lives on", async () => {
      const password = "a".repeat(1_000_000);
      const announced = await api.call("/auth/login", { body: { email: "a@b.c", password } });
      expectProblem(announced, "request-too-large");
      const stream = new Blob([JSON.stringify({ email: "a@b.c", password })]).stream();
      const chunked = await fetch(`${api.url}/auth/login`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: stream,
        duplex: "half",
      });
      expect([chunked.status, chunked.headers.get("connection")]).to.deep.equal([413, "keep-alive"]);
      await chunked.text();
      expect((await api.call("/livez")).status).to.equal(200);
    });

    it("a body in chunks is taken, and an empty one counts as none", async () => {
      const chunked = (path: string, chunks: string, ...headers: string[]) =>
        raw(
          [
            `POST ${path} HTTP/1.1`,
            "Host: a",
            "Connection: close",
            "Transfer-Encoding: chunked",
            `Authorization: Bearer ${token}`,
            ...headers,
          ],
          chunks,
        );
      const login = await chunked("/auth/login", "2\r\n{}\r\n0\r\n\r\n", "Content-Type: application/json");
      expectProblem(login, "validation-failed");
      expectProblem(await chunked(`/users/${unknownId}/deactivate`, "0\r\n\r\n"), "not-found");
    });

    const invalid: [name: string, body: string, pointers: string[]][] = [
      ["B4: an unknown member", '{"email":"a@b.c","password":"x","admin":true}', ["/admin"]],
      ["B4: a member twice", '{"email":"a@b.c","password":"x","password":"y"}', [""]],
      ["B4: __proto__", '{"email":"a@b.c","password":"x","__proto__":{}}', [""]],
      ["B4: constructor", '{"email":"a@b.c","password":"x","constructor":{}}', ["/constructor"]],
      ["B5: operators", '{"email":{"$ne":null},"password":{"$gt":""}}', ["/email", "/password"]],
      ["B5: arrays", '{"email":["a@b.c"],"password":[]}', ["/email", "/password"]],
      ["B5: null and a number", '{"email":null,"password":1}', ["/email", "/password"]],
      ["B5: booleans", '{"email":true,"password":false}', ["/email", "/password"]],
      ["B6: NUL", '{"email":"a\\u0000@b.c","password":"x\\u0000"}', ["/email", "/password"]],
      ["B6: $where", '{"$where":"1","email":"a@b.c","password":"x"}', ["/$where"]],
      ["B7: a lone surrogate", '{"email":"\\ud800","password":"x"}', ["/email"]],
      ["B7: a long address", `{"email":"${"a".repeat(400)}","password":"x"}`, ["/email"]],
      ["B8: a long password", `{"email":"a@b.c","password":"${"é".repeat(513)}"}`, ["/password"]],
      ["B8: an empty password", '{"email":"a@b.c","password":""}', ["/password"]],
      ["both missing", "{}", ["/email", "/password"]],
    ];
    for (const [name, body, pointers] of invalid) {
      it(`${name}: validation-failed at ${pointers.join(" and ") || "the body"}`, async () => {
        const answer = await postJson("/auth/login", body);
        expectProblem(answer, "validation-failed");
        const errors: unknown = answer.body["errors"];
        if (!Array.isArray(errors)) throw new Error("no errors");
        expect(errors.map(({ pointer }) => pointer)).to.deep.equal(pointers);
      });
    }

    it("an answer stays short, however much is wrong", async () => {
      const members = Object.fromEntries(Array.from({ length: 1_500 }, (_, n) => [`m${n}`, 1]));
      const answer = await postJson("/auth/login", JSON.stringify(members));
      expectProblem(answer, "validation-failed");
      expect(answer.text.length).to.be.below(4_000);
    });

    const idOf = (sub: string) => ({ iss: "i", sub });
    const users: [name: string, change: Record<string, unknown>, pointer: string][] = [
      ["an address that is none", { email: "nobody" }, "/email"],
      ["invisible characters in an address", { email: "a\u200b@b.c" }, "/email"],
      ["a password of 7 bytes", { password: "a234567" }, "/password"],
      ["a control character in a password", { password: "a2345678\t" }, "/password"],
      ["a role that there is not", { roles: ["root"] }, "/roles/0"],
      ["no roles", { roles: [] }, "/roles"],
      ["an external identity without sub", { external_ids: [{ iss: "i" }] }, "/external_ids/0/sub"],
      ["more in an external identity", { external_ids: [{ iss: "i", sub: "s", x: 1 }] }, "/external_ids/0/x"],
      ["one external identity twice", { external_ids: [idOf("s"), idOf("t"), idOf("s")] }, "/external_ids"],
    ];
    for (const [name, change, pointer] of users) {
      it(`a new user with ${name}: validation-failed at ${pointer}`, async () => {
        const body = { email: "new@example.com", password: "long enough", ...change };
        const answer = await api.call("/users", { token, body });
        expectProblem(answer, "validation-failed");
        expect(answer.body["errors"]).to.have.nested.property("[0].pointer", pointer);
      });
    }

    it("a reason that is none: validation-failed, and nothing is changed", async () => {
      const id = await api.createUser(token, { email: "kept@example.com", password: "long enough" });
      for (const body of [
        { reason: null },
        { reason: "" },
        { reason: {} },
        { reason: "a\nb" },
        { why: "x" },
      ]) {
        expectProblem(await api.call(`/users/${id}/deactivate`, { token, body }), "validation-failed");
      }
      expect((await api.call(`/users/${id}`, { token })).body).to.include({ status: "active", epoch: 0 });
    });
  });

  it("nothing that is sent is ever answered by a 5xx", async function () {
    this.timeout(15_000);
    const routes = [
      "/auth/login",
      "/auth/refresh",
      "/users",
      `/users/${unknownId}/deactivate`,
      `/tokens/${unknownId}/revoke`,
      `/users/${unknownId}/sign-out`,
    ];
    const path = fc.oneof(
      fc.constantFrom(...routes),
      fc.webPath().map((text) => text || "/"),
      fc
        .tuple(fc.constantFrom("/users?", "/revocations?", "/me?"), fc.webQueryParameters())
        .map((parts) => parts.join("")),
      fc.stringMatching(/^\/[!-~]{0,40}$/),
    );
    const body = fc.oneof(
      fc.json().map((text) => Buffer.from(text)),
      fc
        .record(
          {
            email: fc.jsonValue(),
            password: fc.jsonValue(),
            refresh_token: fc.jsonValue(),
            reason: fc.jsonValue(),
            roles: fc.jsonValue(),
          },
          { requiredKeys: [] },
        )
        .map((value) => Buffer.from(JSON.stringify(value))),
      fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)),
    );
    const method = fc.constantFrom("GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "PROPFIND");
    const withToken = fc.boolean();
    await fc.assert(
      fc.asyncProperty(method, path, body, withToken, async (given, target, content, isAdmin) => {
        const answer = await raw(
          [
            `${given} ${target} HTTP/1.1`,
            "Host: quash",
            "Connection: close",
            "Content-Type: application/json",
            `Content-Length: ${content.length}`,
            ...(isAdmin ? [`Authorization: Bearer ${token}`] : []),
          ],
          content,
        );
        expect(answer.status).to.be.within(200, 499);
      }),
      { numRuns: 300 },
    );
  });
});
