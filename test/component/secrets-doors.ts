import type { Client } from "../support/client.ts";
import type { Leaks } from "../support/leaks.ts";
import { basicOf, postForm } from "../support/oauth-client.ts";
import { sendRaw, type TestApi } from "../support/test-api.ts";

export interface Held {
  readonly admin: string;
  readonly access: string;
  readonly refresh: string;
  readonly spent: string;
  readonly userId: string;
  readonly password: string;
  readonly clientId: string;
  readonly clientSecret: string;
  /** Of another client, which signs it; unused. */
  readonly assertion: string;
}

export interface DoorsOptions {
  readonly api: TestApi;
  readonly leaks: Leaks;
  readonly held: Held;
  /** What is away meanwhile: for the report. */
  readonly while: string;
}

type Call = Parameters<Client["call"]>;

/** Puts each secret wherever a caller can put one, and notes all that is answered. */
export async function tryDoors({ api, leaks, held, while: condition }: DoorsOptions): Promise<void> {
  for (const [path, options] of callsWith(held)) {
    const { status, headers, body } = await api.call(path, options);
    const answer = `${status} ${JSON.stringify([...headers])} ${JSON.stringify(body)}`;
    leaks.note(`the answer to ${options?.method ?? ""} ${nameOf(path)} while ${condition}`, answer);
  }
  for (const [path, form, headers = {}] of formsWith(held)) {
    const { status, headers: answered, text } = await postForm(api.url, path, { form, headers });
    leaks.note(
      `the answer to a form to ${nameOf(path)} while ${condition}`,
      `${status} ${JSON.stringify([...answered])} ${text}`,
    );
  }
  for (const [what, bytes] of rawRequestsWith(held)) {
    const { status, headers, text } = await sendRaw(api.port, bytes);
    leaks.note(
      `the answer to ${what} while ${condition}`,
      `${status} ${JSON.stringify([...headers])} ${text}`,
    );
  }
}

const nameOf = (path: string) => path.split("?")[0]?.slice(0, 20);

function callsWith({ admin, access, refresh, spent, userId, password }: Held): Call[] {
  const post = (path: string, body: unknown, more: Call[1] = {}): Call => [
    path,
    { body, method: "POST", ...more },
  ];
  return [
    post("/auth/login", { email: "alice@example.com", password: `${password}x` }),
    post("/auth/login", { email: password, password }),
    post("/auth/login", { email: "alice@example.com", password, [password]: password }),
    post("/auth/login", [password]),
    post("/auth/login", { email: { $ne: password }, password: { $gt: password } }),
    post("/auth/login", { password }, { headers: { "content-type": "text/plain" } }),
    post("/auth/login", { email: "alice@example.com", password: password.repeat(2_000) }),
    post("/auth/refresh", { refresh_token: `${refresh}x` }),
    post("/auth/refresh", { refresh_token: spent }),
    post("/users", { email: "no address", password }, { token: admin }),
    post("/users", { email: "alice@example.com", password }, { token: admin }),
    post("/users", { email: "bob@example.com", password, roles: [password] }, { token: admin }),
    post(`/users/${userId}/sign-out`, { reason: { password } }, { token: admin }),
    post("/tokens/no-token/revoke", {}, { token: admin }),
    ["/me", { token: access }],
    ["/me", { token: `${access}x` }],
    ["/me", { token: access, headers: { cookie: `token=${admin}`, "x-request-id": admin } }],
    ["/me", { headers: { authorization: `Basic ${Buffer.from(password).toString("base64")}` } }],
    ["/users", { token: access }],
    ["/users", { token: admin }],
    [`/users/${userId}`, { token: admin }],
    ["/revocations", { token: admin }],
    ["/instances", { token: admin }],
    ["/readyz"],
    ["/.well-known/jwks.json"],
  ];
}

type SentForm = [path: string, form: Record<string, string>, headers?: Record<string, string>];

/** An access token is what is asked for; whether one is given is not looked at, since it is no canary. */
function formsWith({ access, refresh, clientId, clientSecret, assertion }: Held): SentForm[] {
  const grant = { grant_type: "client_credentials" };
  const { authorization } = basicOf(clientId, clientSecret);
  const byAssertion = {
    client_assertion_type: "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
    client_assertion: assertion,
  };
  return [
    ["/oauth/token", { ...grant, scope: clientSecret }, { authorization }],
    ["/oauth/token", { grant_type: clientSecret }, { authorization }],
    ["/oauth/token", { ...grant, client_id: clientId, client_secret: clientSecret }],
    ["/oauth/token", grant, basicOf(clientId, `${clientSecret}x`)],
    ["/oauth/token", grant, basicOf(clientSecret, clientId)],
    [`/oauth/token?client_secret=${clientSecret}`, grant],
    ["/oauth/token", { ...grant, ...byAssertion, client_assertion: `${assertion}x` }],
    ["/oauth/token", { ...grant, ...byAssertion, client_id: clientSecret }],
    ["/oauth/token", { ...grant, ...byAssertion, client_assertion_type: assertion }],
    ["/oauth/introspect", { token: access, ...byAssertion, scope: assertion }],
    ["/oauth/introspect", { token: assertion }, { authorization }],
    ["/oauth/introspect", { token: `${refresh}x` }, { authorization: `Bearer ${assertion}` }],
    ["/oauth/revoke", { token: `${access}x`, token_type_hint: refresh }, { authorization }],
    ["/oauth/revoke", { [assertion]: clientSecret }, { authorization }],
  ];
}

function rawRequestsWith({ access, password }: Held): [string, string][] {
  const head = (line: string) => `${line} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n`;
  const authorization = `Authorization: Bearer ${access}`;
  return [
    ["a header with NUL", `${head("GET /me")}${authorization}\0\r\n\r\n`],
    ["a header that is too long", `${head("GET /me")}${authorization}${"a".repeat(20_000)}\r\n\r\n`],
    ["two tokens", `${head("GET /me")}${authorization}\r\n${authorization}\r\n\r\n`],
    [
      "a body that is cut off",
      `${head("POST /auth/login")}Content-Type: application/json\r\nContent-Length: ${password.length + 14}\r\n\r\n{"password":"${password}\n`,
    ],
  ];
}
