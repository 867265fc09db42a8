import { expect } from "chai";
import { after, before, describe, it } from "mocha";
import type { Answer } from "../support/client.ts";
import { eventually } from "../support/eventually.ts";
import { expectProblem } from "../support/expect-problem.ts";
import { createTestClient, postForm } from "../support/oauth-client.ts";
import { type ApiWorld, createApiWorld, type TestApi } from "../support/test-api.ts";

const password = "long enough";

describe("POST /events", () => {
  let world: ApiWorld;
  let api: TestApi;
  let admin: string;
  let emitter: string;
  let sent = 0;

  before(async () => {
    world = await createApiWorld();
    await world.startWorker();
    api = await world.startApi();
    admin = await api.signIn();
    await api.createUser(admin, { email: "hr@example.com", password, roles: ["emitter"] });
    emitter = await api.signIn("hr@example.com", password);
  });
  after(() => world.close());

  async function createPerson() {
    sent += 1;
    const email = `event-${sent}@example.com`;
    const id = await api.createUser(admin, { email, password });
    return { id, token: await api.signIn(email, password) };
  }
  function event(changed: Record<string, unknown> = {}) {
    sent += 1;
    return { specversion: "1.0", id: `e-${sent}`, source: "/hr", type: "user.deactivated", ...changed };
  }
  async function send(
    body: string | Uint8Array | undefined,
    headers: Record<string, string>,
    token = emitter,
  ): Promise<Answer> {
    const answer = await fetch(`${api.url}/events`, {
      method: "POST",
      headers: { authorization: `Bearer ${token}`, ...headers },
      ...(body === undefined ? {} : { body: typeof body === "string" ? body : Buffer.from(body) }),
    });
    const read: unknown = await answer.json();
    return {
      status: answer.status,
      headers: answer.headers,
      body: Object.fromEntries(Object.entries(Object(read))),
    };
  }
  const structured = { "content-type": "application/cloudevents+json" };
  const post = (body: unknown, token = emitter) => send(JSON.stringify(body), structured, token);
  const receiptAt = async (answer: Answer) =>
    (await api.call(answer.headers.get("location") ?? "", { token: admin })).body;

  it("answers 202 with a receipt that can be read at once, and the event goes its way", async () => {
    const person = await createPerson();
    const answer = await post(event({ subject: person.id, data: { reason: "left" } }));

    expect(answer.status, JSON.stringify(answer.body)).to.equal(202);
    expect(answer.body).to.include({ type: "user.deactivated", subject: person.id, source: "/hr" });
    expect(answer.body).to.include({ source_event_id: `e-${sent}`, reason: "left", tokens_revoked: 0 });
    expect((await receiptAt(answer))["event_id"]).to.equal(answer.body["event_id"]);
    await eventually(async () => expect((await receiptAt(answer))["status"]).to.equal("enforced"));
    expect(await api.statusOf(person.token)).to.equal(401);
  });

  it("asks for nothing in ce- headers of a structured event", async () => {
    const person = await createPerson();
    const body = JSON.stringify(event({ subject: person.id }));
    const answer = await send(body, { ...structured, "ce-id": "%zz", "ce-type": "nonsense" });
    expect(answer.status, JSON.stringify(answer.body)).to.equal(202);
    expect(answer.body).to.include({ type: "user.deactivated", subject: person.id });
  });

  it("takes binary mode, with percent-encoded attributes, and without a body", async () => {
    const person = await createPerson();
    const headers = {
      "ce-specversion": "1.0",
      "ce-id": `b-${sent}`,
      "ce-source": "/h%C3%BCr",
      "ce-type": "user.signed-out",
      "ce-subject": person.id,
    };
    const bare = await send(undefined, headers);
    expect(bare.status, JSON.stringify(bare.body)).to.equal(202);
    expect(bare.body).to.include({ source: "/hür", type: "user.signed-out", subject: person.id });

    const withData = { ...headers, "ce-id": `c-${sent}`, "content-type": "application/json" };
    const answer = await send('{"reason":"lost"}', withData);
    expect(answer.body).to.include({ reason: "lost", source_event_id: `c-${sent}` });
    await eventually(async () => expect((await receiptAt(answer))["status"]).to.equal("enforced"));
  });

  it("finds whom an external identity means", async () => {
    const external = { iss: "https://idp.example", sub: "x" };
    const id = await api.createUser(admin, {
      email: "ext@example.com",
      password,
      external_ids: [external],
    });
    const answer = await post(event({ data: { external } }));

    expect(answer.body["subject"]).to.equal(id);
  });

  it("answers the same source and id with the same receipt, and publishes it once", async () => {
    const person = await createPerson();
    const one = event({ subject: person.id });
    const answer = await post(one);
    await eventually(async () => expect((await receiptAt(answer))["status"]).to.equal("enforced"));
    const published = world.logServer.read("events").length;
    const again = await post(one, admin);

    expect(again.status).to.equal(202);
    expect(again.body["event_id"]).to.equal(answer.body["event_id"]);
    expect(again.body["status"]).to.equal("enforced");
    expect(world.logServer.read("events")).to.have.lengthOf(published);
  });

  it("refuses another event under a source and an id that are known, whatever became of the first", async () => {
    const person = await createPerson();
    const one = event({ type: "token.revoked", data: { jti: "nothing" } });
    const answer = await post(one);
    const other = { ...one, type: "user.deactivated", subject: person.id, data: {} };
    expectProblem(await post(other), "idempotency-conflict", "/events");
    await eventually(async () => expect((await receiptAt(answer))["status"]).to.equal("enforced"));
    expectProblem(await post(other), "idempotency-conflict", "/events");
    expectProblem(await post({ ...one, data: { jti: "else" } }), "idempotency-conflict", "/events");
    expect((await post({ ...one, data: { jti: "nothing", reason: "again" } })).status).to.equal(202);
  });

  it("does not answer another event in binary mode by an Idempotency-Key that is known", async () => {
    const call = (id: string, contentType = "application/json") =>
      send("{}", {
        "idempotency-key": "one-key",
        "content-type": contentType,
        "ce-specversion": "1.0",
        "ce-id": id,
        "ce-source": "/hr",
        "ce-type": "user.signed-out",
        "ce-subject": "somebody",
      });
    const first = await call("key-1");
    expect((await call("key-1")).body).to.deep.equal(first.body);
    expectProblem(await call("key-2"), "idempotency-conflict", "/events");
    expectProblem(await call("key-1", "application/json; charset=utf-8"), "idempotency-conflict", "/events");
  });

  it("takes from a client that has sources no event of another one", async () => {
    const { database } = world.connectParts();
    const { basic } = await createTestClient(database, world.platform, ["emitter"], ["/idp", "/idp2"]);
    const form = { grant_type: "client_credentials" };
    const { body } = await postForm(api.url, "/oauth/token", { form, headers: basic });
    const token = String(body["access_token"]);
    const refused = await post(event({ subject: "u" }), token);
    expectProblem(refused, "forbidden", "/events");
    expect(refused.body["detail"]).to.include("/idp, /idp2");
    expect((await post(event({ subject: "u", source: "/idp2" }), token)).status).to.equal(202);
  });

  it("counts as one event, however many send it at once", async () => {
    const person = await createPerson();
    const one = event({ subject: person.id });
    const answers = await Promise.all([post(one), post(one), post(one)]);
    const [first] = answers;
    if (first === undefined) throw new Error("no answer");

    expect(new Set(answers.map(({ body }) => body["event_id"])).size).to.equal(1);
    await eventually(async () => expect((await receiptAt(first))["status"]).to.equal("enforced"));
    expect((await world.databaseServer.connect().users.findById(person.id))?.epoch).to.equal(1);
  });

  it("does not keep a session from being ended, whatever its source and id", async () => {
    const { token } = await createPerson();
    const sid: unknown = JSON.parse(Buffer.from(token.split(".")[1] ?? "", "base64url").toString())["sid"];
    const forged = { source: "session-ended", id: sid, type: "token.revoked", data: { jti: "x" } };
    expect((await post(event(forged))).status).to.equal(202);
    await api.call("/auth/logout", { method: "POST", token });
    await eventually(async () => expect(await api.statusOf(token)).to.equal(401));
  });

  it("answers 503 with Retry-After while the log does not take it, and notes nothing", async () => {
    const person = await createPerson();
    const one = event({ subject: person.id });
    world.logServer.setAvailable(false);
    const refused = await post(one);
    world.logServer.setAvailable(true);

    expectProblem(refused, "dependency-unavailable");
    const { ledger } = world.databaseServer.connect();
    expect(await ledger.list({ subject: person.id, limit: 9 })).to.deep.equal([]);
    expect((await post(one)).status).to.equal(202);
  });

  it("is for emitters and administrators; an emitter may do nothing else", async () => {
    const person = await createPerson();
    expectProblem(await post(event({ subject: person.id }), person.token), "forbidden");
    expectProblem(await send("{}", structured, "nonsense"), "token-malformed");
    expect((await post(event({ subject: person.id }), admin)).status).to.equal(202);
    for (const path of ["/users", "/revocations", "/instances"]) {
      expectProblem(await api.call(path, { token: emitter }), "forbidden", path);
    }
  });

  const refused: readonly [
    title: string,
    body: string | Uint8Array,
    slug: Parameters<typeof expectProblem>[1],
  ][] = [
    ["our own source", JSON.stringify(event({ source: "/quash/test", subject: "u" })), "event-rejected"],
    [
      "our held source",
      JSON.stringify(event({ source: "/quash/test/held", subject: "u" })),
      "event-rejected",
    ],
    [
      "another namespace's source",
      JSON.stringify(event({ source: "/QUASH/x", subject: "u" })),
      "event-rejected",
    ],
    ["no JSON", "{", "body-malformed"],
    ["nothing", "", "body-malformed"],
    ["an array", "[]", "body-malformed"],
    ["bytes that are not UTF-8", Uint8Array.of(0x7b, 0xff, 0x7d), "body-malformed"],
    ["a member that is given twice", '{"id":"1","id":"2"}', "event-rejected"],
    ["__proto__", '{"__proto__":{}}', "event-rejected"],
    ["no specversion", JSON.stringify(event({ specversion: undefined })), "event-rejected"],
    ["an unknown type", JSON.stringify(event({ type: "user.promoted", subject: "u" })), "event-rejected"],
    ["nobody", JSON.stringify(event()), "event-rejected"],
    ["an object for a subject", JSON.stringify(event({ subject: { $ne: null } })), "event-rejected"],
    [
      "a time before 2000",
      JSON.stringify(event({ subject: "u", time: "1999-01-01T00:00:00Z" })),
      "event-rejected",
    ],
    ["a control character", JSON.stringify(event({ subject: "a\u0000b" })), "event-rejected"],
    ["too much", JSON.stringify(event({ filler: "x".repeat(20_000) })), "request-too-large"],
  ];
  for (const [title, body, slug] of refused) {
    it(`refuses ${title}`, async () => {
      const published = world.logServer.read("events").length;
      expectProblem(await send(body, structured), slug);
      expect(world.logServer.read("events")).to.have.lengthOf(published);
    });
  }

  it("refuses other content types, attributes that cannot be read, and query parameters", async () => {
    const body = JSON.stringify(event({ subject: "u" }));
    for (const type of ["text/plain", "application/json", "application/cloudevents-batch+json"]) {
      expectProblem(await send(body, { "content-type": type }), "unsupported-media-type", type);
    }
    const form = { "content-type": "application/x-www-form-urlencoded" };
    expectProblem(await send("a=b", form), "unsupported-media-type");
    expectProblem(await send("access_token=x", form), "auth-ambiguous");
    const charset = { "content-type": "application/cloudevents+json; charset=utf-16" };
    expectProblem(await send(body, charset), "event-rejected");
    expectProblem(await send(undefined, { "ce-id": "%zz" }), "event-rejected");
    expectProblem(await send(undefined, { "ce-id": "1" }), "event-rejected");
    const query = await api.call("/events?x=1", { token: emitter, body: {} });
    expectProblem(query, "validation-failed");
  });
});
