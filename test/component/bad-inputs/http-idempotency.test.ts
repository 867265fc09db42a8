import { expect } from "chai";
import { afterEach, beforeEach, describe, it } from "mocha";
import { dependencyUnavailable } from "../../../shared/errors.ts";
import { createPlatform } from "../../../shared/platform.ts";
import type { Database } from "../../../shared/ports/database.ts";
import type { Answer } from "../../support/client.ts";
import { eventually } from "../../support/eventually.ts";
import { expectProblem } from "../../support/expect-problem.ts";
import { replaceMethod } from "../../support/replace-method.ts";
import { type ApiWorld, createApiWorld, sendRaw, type TestApi } from "../../support/test-api.ts";

const password = "long enough";
const away = () => Promise.reject(dependencyUnavailable("mongodb", new Error("gone")));

describe("calls with an Idempotency-Key", () => {
  let world: ApiWorld;
  let api: TestApi;
  let other: TestApi;
  let token: string;
  let isFinishing = true;
  let isCreating = true;
  let aheadMs = 0;

  beforeEach(async () => {
    [isFinishing, isCreating, aheadMs] = [true, true, 0];
    const platform = createPlatform();
    const { clock } = platform;
    world = await createApiWorld({
      platform: {
        ...platform,
        clock: { ...clock, wallMs: () => clock.wallMs() + aheadMs },
      },
    });
    await world.startWorker();
    const { database } = world.connectParts();
    api = await world.startApi({ database: withFaults(database) });
    other = await world.startApi();
    token = await api.signIn();
  });
  afterEach(() => world.close());

  function withFaults(database: Database): Database {
    const { users, sessions, ledger, safeguards, audit, clients, idempotency } = database;
    return {
      clients,
      audit,
      safeguards,
      sessions,
      ledger,
      users: replaceMethod(users, "create", (user) => (isCreating ? users.create(user) : away())),
      idempotency: replaceMethod(idempotency, "finish", (...given) =>
        isFinishing ? idempotency.finish(...given) : away(),
      ),
      migrate: () => database.migrate(),
      ping: () => database.ping(),
      close: () => database.close(),
    };
  }

  const withKey = (path: string, key: string, body?: unknown, at = api, method = "POST"): Promise<Answer> =>
    at.call(path, {
      method,
      token,
      headers: { "idempotency-key": key },
      ...(body === undefined ? {} : { body }),
    });
  const newUser = (email = "alice@example.com") => api.createUser(token, { email, password });
  const epochOf = async (id: string) => (await api.call(`/users/${id}`, { token })).body["epoch"];
  const isReplayed = ({ headers }: Answer) => headers.get("idempotency-replayed") === "true";

  it("are answered alike when they come again, at any instance, and made once", async () => {
    const alice = { email: "alice@example.com", password };
    const first = await withKey("/users", "key-1", alice);
    const again = await withKey("/users", '"key-1"', alice, other);

    expect([first.status, isReplayed(first)]).to.deep.equal([201, false]);
    expect([again.status, isReplayed(again), again.body]).to.deep.equal([201, true, first.body]);
    for (const name of ["location", "content-type"]) {
      expect(again.headers.get(name)).to.be.a("string").that.equals(first.headers.get(name));
    }
    expect(again.headers.get("x-request-id")).to.not.equal(first.headers.get("x-request-id"));
    expect((await api.call("/users?email=alice@example.com", { token })).body["items"]).to.have.length(1);
  });

  for (const [path, method, status] of [
    ["deactivate", "POST", 202],
    ["sign-out", "POST", 202],
    ["reactivate", "POST", 200],
    ["", "DELETE", 202],
  ] as const) {
    it(`B15: ${method} /users/:id/${path} again: ${status} as before, and nothing is done again`, async () => {
      const id = await newUser();
      const target = `/users/${id}${path && `/${path}`}`;
      const first = await withKey(target, "key", undefined, api, method);
      const epoch = await epochOf(id);
      const again = await withKey(target, "key", undefined, other, method);
      expect([first.status, again.status, isReplayed(again)]).to.deep.equal([status, status, true]);
      expect(again.body).to.deep.equal(first.body);
      expect(await epochOf(id)).to.equal(epoch);
    });
  }

  it("B15: the same key with another body, query or path: idempotency-conflict, and nothing is done", async () => {
    const id = await newUser();
    await withKey(`/users/${id}/sign-out`, "key", { reason: "a" });
    const others: [path: string, body: unknown, method: string][] = [
      [`/users/${id}/sign-out`, { reason: "b" }, "POST"],
      [`/users/${id}/sign-out`, undefined, "POST"],
      [`/users/${id}/sign-out?x=1`, { reason: "a" }, "POST"],
      [`/users/${id}/deactivate`, { reason: "a" }, "POST"],
      [`/users/${id}`, { reason: "a" }, "DELETE"],
    ];
    for (const [path, body, method] of others) {
      expectProblem(await withKey(path, "key", body, other, method), "idempotency-conflict", path);
    }
    expect((await api.call(`/users/${id}`, { token })).body).to.include({ epoch: 1, status: "active" });
  });

  it("B15: while the first is under way, the second: idempotency-in-progress, with Retry-After", async () => {
    const id = await newUser();
    const target = `/users/${id}/sign-out`;
    const answers = await Promise.all(
      Array.from({ length: 8 }, (_, index) => withKey(target, "key", {}, index % 2 === 0 ? api : other)),
    );
    for (const answer of answers) {
      if (answer.status === 202) continue;
      expectProblem(answer, "idempotency-in-progress");
      expect(answer.headers.get("retry-after")).to.equal("1");
    }
    expect(answers.filter((answer) => answer.status === 202 && !isReplayed(answer))).to.have.length(1);
    expect(await epochOf(id)).to.equal(1);
  });

  it("have keys of their own for each actor", async () => {
    await api.createUser(token, { email: "boss@example.com", password, roles: ["admin"] });
    const bosss = await api.signIn("boss@example.com", password);
    const first = await withKey("/users", "key", { email: "alice@example.com", password });
    const headers = { "idempotency-key": "key" };
    const body = { email: "bob@example.com", password };
    const second = await api.call("/users", { token: bosss, headers, body });
    expect([first.status, second.status, isReplayed(second)]).to.deep.equal([201, 201, false]);
  });

  it("that were refused for what stood against them are refused alike when they come again", async () => {
    const id = await newUser();
    const alice = { email: "alice@example.com", password };
    expectProblem(await withKey("/users", "key", alice), "email-taken");
    await api.call(`/users/${id}`, { token, method: "DELETE" });
    const again = await withKey("/users", "key", alice, other);
    expectProblem(again, "email-taken");
    expect(isReplayed(again)).to.equal(true);
  });

  it("that were refused for their form leave the key free, and so do a 404 and a 5xx", async () => {
    const alice = { email: "alice@example.com", password };
    expectProblem(await withKey(`/users/${world.platform.ids.uuid()}/sign-out`, "key"), "not-found");
    expectProblem(await withKey("/users", "key", { ...alice, rolls: [] }), "validation-failed");
    isCreating = false;
    expectProblem(await withKey("/users", "key", alice), "dependency-unavailable");
    isCreating = true;
    const made = await withKey("/users", "key", alice);
    expect([made.status, isReplayed(made)]).to.deep.equal([201, false]);
  });

  describe("whose answer was lost with the process", () => {
    const crash = async (path: string, body?: unknown, method?: string) => {
      isFinishing = false;
      const lost = await withKey(path, "key", body, api, method);
      isFinishing = true;
      expectProblem(await withKey(path, "key", body, other, method), "idempotency-in-progress");
      aheadMs += 61_000;
      await eventually(async () => expect(await other.statusOf(token)).to.equal(200));
      return { lost, again: await withKey(path, "key", body, other, method) };
    };

    it("make a user once", async () => {
      const { lost, again } = await crash("/users", { email: "alice@example.com", password });
      expect([lost.status, again.status, again.body]).to.deep.equal([201, 201, lost.body]);
    });

    for (const [path, method] of [
      ["deactivate", "POST"],
      ["sign-out", "POST"],
      ["", "DELETE"],
    ] as const) {
      it(`raise one event: ${method} ${path}`, async () => {
        const id = await newUser();
        const { lost, again } = await crash(`/users/${id}${path && `/${path}`}`, undefined, method);
        expect(lost.status).to.equal(202);
        expect(again.status).to.be.oneOf([200, 202]);
        expect(again.body["event_id"]).to.be.a("string").that.equals(lost.body["event_id"]);
        if (method !== "DELETE") expect(await epochOf(id)).to.equal(1);
        const { body } = await api.call(`/revocations?subject=${id}`, { token });
        expect(body["items"]).to.have.length(1);
      });
    }

    it("revoke a token by one event", async () => {
      await newUser();
      const hers = await api.signIn("alice@example.com", password);
      const { token: about } = (await api.call("/me", { token: hers })).body;
      const { lost, again } = await crash(`/tokens/${String(Reflect.get(Object(about), "jti"))}/revoke`);
      expect(again.body["event_id"]).to.be.a("string").that.equals(lost.body["event_id"]);
    });
  });

  const malformed = [
    "",
    " ",
    '""',
    '"',
    "a b",
    '"a b"',
    "a,b",
    '"a"; p=1',
    "k".repeat(129),
    "\u00e9",
    "a\tb",
  ];
  for (const key of malformed) {
    it(`a malformed key, ${JSON.stringify(key.slice(0, 20))}: request-malformed`, async () => {
      const answer = await sendRaw(
        api.port,
        Buffer.from(
          `POST /users HTTP/1.1\r\nHost: a\r\nConnection: close\r\nAuthorization: Bearer ${token}\r\nIdempotency-Key: ${key}\r\n\r\n`,
          "latin1",
        ),
      );
      expectProblem(answer, "request-malformed");
    });
  }

  it("two keys: request-malformed", async () => {
    const keys = "Idempotency-Key: a\r\nIdempotency-Key: a\r\n";
    const answer = await sendRaw(
      api.port,
      `POST /users HTTP/1.1\r\nHost: a\r\nConnection: close\r\nAuthorization: Bearer ${token}\r\n${keys}\r\n`,
    );
    expectProblem(answer, "request-malformed");
  });

  it("a key changes nothing for who may not call, for what only reads, and for a sign-in", async () => {
    const headers = { "idempotency-key": "key" };
    expectProblem(await api.call("/users", { method: "POST", headers }), "token-missing");
    await newUser();
    const hers = await api.signIn("alice@example.com", password);
    expectProblem(await api.call("/users", { method: "POST", token: hers, headers }), "forbidden");
    const tokens = [];
    for (let round = 0; round < 2; round += 1) {
      expect((await api.call("/me", { token, headers: { "idempotency-key": "a b" } })).status).to.equal(200);
      const body = { email: "alice@example.com", password };
      tokens.push((await api.call("/auth/login", { headers, body })).body["access_token"]);
    }
    expect(tokens[0]).to.not.equal(tokens[1]);
  });
});
