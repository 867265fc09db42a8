import { randomUUID } from "node:crypto";
import { expect } from "chai";
import { afterEach, beforeEach, describe, it } from "mocha";
import type { Database } from "../../shared/ports/database.ts";
import { eventually } from "../support/eventually.ts";
import {
  assertionForm,
  basicOf,
  createKeyedClient,
  createTestClient,
  expectRefusal,
  type Parameters,
  postForm,
  type TestClient,
} from "../support/oauth-client.ts";
import { type ApiWorld, createApiWorld, type TestApi } from "../support/test-api.ts";

const grant = { grant_type: "client_credentials", token: "x" };
const most = 3;

describe("failed authentication of OAuth clients", () => {
  let world: ApiWorld;
  let api: TestApi;
  let other: TestApi;
  let database: Database;
  let client: TestClient;

  beforeEach(async () => {
    world = await createApiWorld({ settings: { LOGIN_FAILURES_PER_ACCOUNT: most } });
    await world.startWorker();
    [api, other] = await Promise.all([world.startApi(), world.startApi()]);
    ({ database } = world.connectParts());
    client = await createTestClient(database, world.platform, ["operator"]);
  });
  afterEach(() => world.close());

  const send = (form: Parameters, headers = {}, path = "/oauth/token", at = api) =>
    postForm(at.url, path, { form, headers });
  const wrong = (id = client.id) => basicOf(id, "A".repeat(43));

  it("is limited by client, over all doors and instances: temporarily_unavailable, with its headers", async () => {
    const doors = ["/oauth/token", "/oauth/revoke", "/oauth/introspect"];
    for (const [at, door] of doors.slice(1).entries()) {
      expectRefusal(await send(grant, wrong(), door, at === 0 ? api : other), 401, "invalid_client");
    }
    const last = await send(grant, wrong());
    expectRefusal(last, 429, "temporarily_unavailable");
    expect(Number(last.headers.get("retry-after"))).to.be.within(1, 300);
    expect(last.headers.get("ratelimit-policy")).to.equal('"address";q=100;w=60, "client";q=3;w=300');
    expect(last.headers.get("ratelimit")).to.match(/^"address";r=97;t=\d+, "client";r=0;t=\d+$/);

    for (const door of doors) {
      expectRefusal(await send(grant, client.basic, door, other), 429, "temporarily_unavailable");
    }
    const colleague = await createTestClient(database, world.platform);
    expect((await send(grant, colleague.basic)).status).to.equal(200);
  });

  it("is limited for an id that is nobody's, and for assertions, in the same way", async () => {
    const keyed = await createKeyedClient(database, world.platform);
    const forged = { ...keyed, privateKey: (await createKeyedClient(database, world.platform)).privateKey };
    const unknown = randomUUID();
    const attempts = [
      () => send(grant, wrong(unknown)),
      () => send({ ...grant, ...assertionForm(forged, world.defaults.TOKEN_ISSUER) }),
    ];
    for (const attempt of attempts) {
      for (let failures = 1; failures < most; failures += 1) {
        expectRefusal(await attempt(), 401, "invalid_client");
      }
      expectRefusal(await attempt(), 429, "temporarily_unavailable");
    }
  });

  it("does not count what succeeds, nor what fails for another reason", async () => {
    for (let call = 0; call < 2 * most; call += 1) {
      expect((await send(grant, client.basic)).status).to.equal(200);
      expectRefusal(await send({ grant_type: "password" }, client.basic), 400, "unsupported_grant_type");
    }
  });

  it("is in the audit: the first of a client, and of nobody, without what was sent", async () => {
    for (const id of [client.id, client.id, "not-a-client-of-ours"]) await send(grant, wrong(id));
    const admin = await api.signIn();
    const items = await eventually(async () => {
      const { body } = await api.call("/audit?action=sign-in.failed", { token: admin });
      const found = body["items"] as Record<string, unknown>[];
      expect(found).to.have.lengthOf(2);
      return found;
    });

    expect(items.map(({ subject, reason }) => [subject, reason])).to.deep.equal([
      [null, "unknown-client"],
      [client.id, "client-authentication"],
    ]);
    expect(JSON.stringify(items)).not.to.include("not-a-client-of-ours");
  });
});
