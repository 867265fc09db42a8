import { expect } from "chai";
import { after, before, describe, it } from "mocha";
import type { ErrorCode } from "../../../shared/errors.ts";
import { expectProblem } from "../../support/expect-problem.ts";
import { administrator } from "../../support/fleet.ts";
import { type ApiWorld, createApiWorld, sendRaw, type TestApi } from "../../support/test-api.ts";

const someId = "7a0b8f0e-2f7d-4a53-8a43-1b2f0a6f4c55";
const password = "long enough";

describe("bad calls", () => {
  let world: ApiWorld;
  let api: TestApi;
  let admin: string;
  let user: string;
  let userId: string;
  let goneId: string;

  before(async () => {
    world = await createApiWorld();
    await world.startWorker();
    api = await world.startApi();
    admin = await api.signIn();
    userId = await api.createUser(admin, { email: "alice@example.com", password });
    goneId = await api.createUser(admin, { email: "gone@example.com", password });
    await api.call(`/users/${goneId}/deactivate`, { token: admin, method: "POST" });
    user = await api.signIn("alice@example.com", password);
  });
  after(() => world.close());

  const raw = (method: string, path: string, ...headers: string[]) =>
    sendRaw(
      api.port,
      [`${method} ${path} HTTP/1.1`, "Host: a", "Connection: close", ...headers, "\r\n"].join("\r\n"),
    );
  const asAdmin = (method: string, path: string) => raw(method, path, `Authorization: Bearer ${admin}`);

  describe("credentials", () => {
    const rows: [row: string, email: string, password: string][] = [
      ["B9: a wrong password", administrator.email, "a wrong password"],
      ["B9: an unknown user", "nobody@example.com", password],
      ["B9: a deactivated user, and his password", "gone@example.com", password],
      ["B9: a deactivated user, and another password", "gone@example.com", "a wrong password"],
      ["B9: a wrong password that could be nobody's", administrator.email, "x"],
    ];
    const bodies: unknown[] = [];
    for (const [row, email, given] of rows) {
      it(`${row}: credentials-invalid, in the same words`, async () => {
        const answer = await api.call("/auth/login", { body: { email, password: given } });
        expectProblem(answer, "credentials-invalid");
        bodies.push({ ...answer.body, request_id: "" });
        expect(bodies.at(-1)).to.deep.equal(bodies[0]);
      });
    }
  });

  const ids: [name: string, id: string][] = [
    ["..", ".."],
    ["../ in percent", "..%2f..%2fetc%2fpasswd"],
    [".. in percent", "%2e%2e"],
    [".. in percent, twice", "%252e%252e"],
    ["NUL", "%00"],
    ["an id and NUL", `${someId}%00`],
    ["CR and LF", "%0d%0aX-A:%20b"],
    ["an id in upper case", someId.toUpperCase()],
    ["an id in braces", `%7B${someId}%7D`],
    ["an id with white space", `%20${someId}`],
    ["a number", "1"],
    ["an operator", "%7B%22$ne%22:null%7D"],
    ["__proto__", "__proto__"],
    ["constructor", "constructor"],
    ["5 KB", "a".repeat(5_000)],
    ["an id of nobody", someId],
  ];
  const withId: [method: string, path: (id: string) => string][] = [
    ["GET", (id) => `/users/${id}`],
    ["DELETE", (id) => `/users/${id}`],
    ["POST", (id) => `/users/${id}/deactivate`],
    ["POST", (id) => `/users/${id}/sign-out`],
    ["POST", (id) => `/users/${id}/reactivate`],
    ["POST", (id) => `/tokens/${id}/revoke`],
    ["GET", (id) => `/revocations/${id}`],
  ];
  for (const [name, id] of ids) {
    it(`B11: ${name} in place of an id: not-found`, async () => {
      for (const [method, path] of withId)
        expectProblem(await asAdmin(method, path(id)), "not-found", path("x"));
      expectProblem(await raw("GET", `/problems/${id}`), "not-found");
    });
  }
  for (const id of ["%zz", "%", "%e0%a4%a", "%ff%fe", "%c0%ae"]) {
    it(`B11: ${id}, which is no percent-encoded UTF-8: request-malformed`, async () => {
      for (const [method, path] of withId)
        expectProblem(await asAdmin(method, path(id)), "request-malformed");
    });
  }

  const queries: [row: string, query: string, pointer: string][] = [
    ...["-1", "0", "101", "1e9", "1e1", "NaN", "Infinity", "", "%20", "1.5", "0x10", "+5", "١", "1%00"].map(
      (limit): [string, string, string] => [`limit ${limit || "of nothing"}`, `limit=${limit}`, "/limit"],
    ),
    ["two limits", "limit=1&limit=2", "/limit"],
    ["two equal limits", "limit=1&limit=1", "/limit"],
    ["a list", "limit[]=1", "/limit[]"],
    ["an operator", "limit[$gt]=1", "/limit[$gt]"],
    ["an empty cursor", "cursor=", "/cursor"],
    ["no cursor of ours", "cursor=garbage", "/cursor"],
    ["a cursor of another form", `cursor=${Buffer.from("1").toString("base64")}`, "/cursor"],
    ["a long cursor", `cursor=${"a".repeat(600)}`, "/cursor"],
    ["an unknown parameter", "sort=email", "/sort"],
    ["a parameter in other case", "Limit=1", "/Limit"],
    ["__proto__", "__proto__=1", "/__proto__"],
  ];
  for (const [row, query, pointer] of queries) {
    it(`B12: ${row}: validation-failed at ${pointer}`, async () => {
      for (const path of ["/users", "/revocations"]) {
        const answer = await api.call(`${path}?${query}`, { token: admin });
        expectProblem(answer, "validation-failed", path);
        expect(answer.body["errors"], path).to.have.nested.property("[0].pointer", pointer);
      }
    });
  }

  it("B12: a cursor is taken letter for letter, and only where it was given", async () => {
    const first = await api.call("/users?limit=1", { token: admin });
    const cursor = String(first.body["next_cursor"]);
    expect((await api.call(`/users?limit=1&cursor=${cursor}`, { token: admin })).status).to.equal(200);
    for (const changed of [`${cursor}=`, `${cursor}A`, cursor.slice(0, -1), `${cursor}%0a`]) {
      const answer = await api.call(`/users?cursor=${changed}`, { token: admin });
      expectProblem(answer, "validation-failed", changed);
    }
    expectProblem(await api.call(`/revocations?cursor=${cursor}`, { token: admin }), "validation-failed");
  });

  const forAdministrators: [method: string, path: string][] = [
    ["POST", "/users"],
    ["GET", "/users"],
    ["GET", `/users/${someId}`],
    ["DELETE", `/users/${someId}`],
    ["POST", `/users/${someId}/deactivate`],
    ["POST", `/users/${someId}/sign-out`],
    ["POST", `/users/${someId}/reactivate`],
    ["POST", `/tokens/${someId}/revoke`],
    ["GET", "/revocations"],
    ["GET", `/revocations/${someId}`],
    ["GET", "/instances"],
  ];
  for (const [method, path] of forAdministrators) {
    it(`B13: ${method} ${path} without a token: token-missing, with a user's: forbidden`, async () => {
      expectProblem(await api.call(path, { method }), "token-missing");
      expectProblem(await api.call(path, { method, token: user }), "forbidden");
    });
  }

  it("B14: a token that there is not, or not any more: not-found", async () => {
    expectProblem(await asAdmin("POST", `/tokens/${someId}/revoke`), "not-found");
  });

  const methods: [path: string, allow: string][] = [
    ["/auth/login", "POST, OPTIONS"],
    ["/auth/logout", "POST, OPTIONS"],
    ["/me", "GET, HEAD, OPTIONS"],
    ["/users", "GET, HEAD, POST, OPTIONS"],
    [`/users/${someId}`, "DELETE, GET, HEAD, OPTIONS"],
    [`/users/${someId}/deactivate`, "POST, OPTIONS"],
    ["/livez", "GET, HEAD, OPTIONS"],
    ["/.well-known/jwks.json", "GET, HEAD, OPTIONS"],
  ];
  for (const [path, allow] of methods) {
    it(`B16: ${path} takes ${allow}, and nothing else`, async () => {
      for (const method of ["GET", "POST", "PUT", "PATCH", "DELETE", "TRACE", "PROPFIND"]) {
        if (allow.includes(method)) continue;
        const answer = await raw(method, path);
        expectProblem(answer, "method-not-allowed", method);
        expect(answer.headers.get("allow"), method).to.equal(allow);
      }
      const options = await raw("OPTIONS", path);
      expect([options.status, options.headers.get("allow"), options.text]).to.deep.equal([204, allow, ""]);
    });
  }

  it("B16: HEAD is answered as GET is, without a body, where it is refused too", async () => {
    for (const [path, status] of [
      ["/livez", 200],
      ["/readyz", 200],
      ["/me", 401],
      ["/nothing", 404],
    ] as const) {
      const [head, got] = [await raw("HEAD", path), await raw("GET", path)];
      expect([head.status, head.text], path).to.deep.equal([status, ""]);
      expect(head.headers.get("content-type"), path).to.equal(got.headers.get("content-type"));
      expect(head.headers.get("content-length"), path).to.equal(
        String(Buffer.byteLength(got.text, "latin1")),
      );
    }
  });

  it("B16: what is at no path: not-found, whatever the method", async () => {
    for (const method of ["GET", "POST", "PUT", "DELETE", "OPTIONS", "HEAD"]) {
      const answer = await raw(method, "/nothing/here");
      if (method === "HEAD") expect(answer.status).to.equal(404);
      else expectProblem(answer, "not-found", method);
    }
  });

  const refused: [path: string, slug: ErrorCode][] = [
    ["/me", "token-missing"],
    ["/nothing", "not-found"],
    ["/users/%zz", "request-malformed"],
  ];
  for (const accept of ["text/html", "application/xml", "*/*;q=0", "nonsense", "application/json;q=0", ""]) {
    it(`B17: Accept: ${accept}: a problem is problem+json, and an answer is JSON`, async () => {
      for (const [path, slug] of refused) expectProblem(await raw("GET", path, `Accept: ${accept}`), slug);
      const answer = await raw("GET", "/me", `Authorization: Bearer ${user}`, `Accept: ${accept}`);
      expect([answer.status, answer.body["id"]]).to.deep.equal([200, userId]);
      expect(answer.headers.get("content-type")).to.match(/^application\/json/);
    });
  }
});
