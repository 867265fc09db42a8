import { createSign, generateKeyPairSync, type KeyObject, randomUUID } from "node:crypto";
import { expect } from "chai";
import { createCreateClient } from "../../api/clients/create-client.ts";
import type { ClientRole } from "../../api/oauth/client-roles.ts";
import { silentAudit } from "../../shared/audit/audit.ts";
import type { Database } from "../../shared/ports/database.ts";
import type { Platform } from "../../shared/ports/platform.ts";
import { fastHasher } from "./test-api.ts";

export interface OauthAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  readonly body: Record<string, unknown>;
}

export type Parameters = Readonly<Record<string, string>> | readonly (readonly [string, string])[] | string;

/** Posts a form, as an OAuth library does. */
export async function postForm(
  baseUrl: string,
  path: string,
  { form, headers = {} }: { readonly form: Parameters; readonly headers?: Readonly<Record<string, string>> },
): Promise<OauthAnswer> {
  const body = typeof form === "string" ? form : new URLSearchParams(entriesOf(form)).toString();
  const answer = await fetch(new URL(path, baseUrl), {
    method: "POST",
    headers: { "content-type": "application/x-www-form-urlencoded", ...headers },
    body,
  });
  const text = await answer.text();
  const parsed: unknown = text.startsWith("{") ? JSON.parse(text) : {};
  return {
    status: answer.status,
    headers: answer.headers,
    text,
    body: Object.fromEntries(Object.entries(parsed ?? {})),
  };
}

function entriesOf(form: Exclude<Parameters, string>): [string, string][] {
  return Symbol.iterator in form ? form.map(([name, value]) => [name, value]) : Object.entries(form);
}

export interface TestClient {
  readonly id: string;
  readonly secret: string;
  readonly basic: { readonly authorization: string };
}

export async function createTestClient(
  database: Database,
  platform: Platform,
  roles: readonly ClientRole[] = [],
  sources: readonly string[] = [],
): Promise<TestClient> {
  const createClient = createCreateClient({
    ...platform,
    ...database,
    audit: silentAudit,
    actor: "a test",
    hasher: fastHasher,
  });
  const { client, secret } = await createClient({ name: "a service", roles, sources });
  if (secret === null) throw new Error("a client without keys has a secret");
  return { id: client.id, secret, basic: basicOf(client.id, secret) };
}

export function basicOf(id: string, secret: string): { readonly authorization: string } {
  return { authorization: `Basic ${Buffer.from(`${id}:${secret}`).toString("base64")}` };
}

export interface KeyedClient {
  readonly id: string;
  readonly privateKey: KeyObject;
}

/** One that authenticates with a key on P-256. */
export async function createKeyedClient(database: Database, platform: Platform): Promise<KeyedClient> {
  const { publicKey, privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const jwks = JSON.stringify({ keys: [{ ...publicKey.export({ format: "jwk" }), kid: "k1" }] });
  const createClient = createCreateClient({
    ...platform,
    ...database,
    audit: silentAudit,
    actor: "a test",
    hasher: fastHasher,
  });
  const { client } = await createClient({ name: "a keyed service", roles: ["operator"], jwks });
  return { id: client.id, privateKey };
}

export interface AssertionParts {
  readonly header?: Readonly<Record<string, unknown>>;
  readonly claims?: Readonly<Record<string, unknown>>;
  readonly key?: KeyObject;
}

/** RFC 7523 §2.2: what such a client sends in the place of a secret. */
export function assertionForm(
  { id, privateKey }: KeyedClient,
  audience: string,
  { header = {}, claims = {}, key = privateKey }: AssertionParts = {},
): Record<string, string> {
  const nowSeconds = Math.floor(Date.now() / 1_000);
  const payload = {
    iss: id,
    sub: id,
    aud: audience,
    jti: randomUUID(),
    iat: nowSeconds,
    exp: nowSeconds + 60,
    ...claims,
  };
  const input = [{ alg: "ES256", typ: "JWT", kid: "k1", ...header }, payload]
    .map((part) => Buffer.from(JSON.stringify(part)).toString("base64url"))
    .join(".");
  const signature = createSign("sha256").update(input).sign({ key, dsaEncoding: "ieee-p1363" });
  return {
    client_assertion_type: "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
    client_assertion: `${input}.${signature.toString("base64url")}`,
  };
}

/** Asserts a refusal in the shape of RFC 6749 §5.2. */
export function expectRefusal(answer: OauthAnswer, status: number, error: string): void {
  expect([answer.status, answer.body["error"]], answer.text).to.deep.equal([status, error]);
  expect(answer.body).to.have.all.keys("error", "error_description");
  expect(answer.body["error_description"]).to.match(/^[\x20-\x21\x23-\x5b\x5d-\x7e]{10,}$/);
  expect(answer.headers.get("content-type")).to.match(/^application\/json/);
  expect(answer.headers.get("cache-control")).to.equal("no-store");
  const challenge = answer.headers.get("www-authenticate");
  if (error === "insufficient_scope") expect(challenge).to.match(/^Bearer .*error="insufficient_scope"/);
  else expect(challenge).to.equal(error === "invalid_client" ? 'Basic realm="quash"' : null);
}
