import { once } from "node:events";
import { createConnection } from "node:net";
import { expect } from "chai";
import { afterEach, beforeEach, describe, it } from "mocha";
import { type ApiWorld, createApiWorld, type TestApi } from "../support/test-api.ts";

const password = "long enough";

describe("a request whose body comes late", () => {
  let world: ApiWorld;
  let api: TestApi;
  let root: string;
  beforeEach(async () => {
    world = await createApiWorld();
    await world.startWorker();
    api = await world.startApi();
    root = await api.signIn();
  });
  afterEach(() => world.close());

  /** Sends all but the last byte; the answer comes once `finish` has sent that one. */
  async function begin(path: string, headers: Record<string, string>, body: object) {
    const text = JSON.stringify(body);
    const lines = {
      host: "a",
      "content-type": "application/json",
      "content-length": text.length,
      ...headers,
    };
    const head = Object.entries(lines).map(([name, value]) => `${name}: ${value}\r\n`);
    const socket = createConnection(api.port, "127.0.0.1");
    await once(socket, "connect");
    socket.write(`POST ${path} HTTP/1.1\r\n${head.join("")}connection: close\r\n\r\n${text.slice(0, -1)}`);
    // What is sent later is answered later: the request has been taken in hand.
    await api.call("/livez");
    return async () => {
      let answer = "";
      socket.setEncoding("utf8").on("data", (chunk) => (answer += String(chunk)));
      socket.write(text.slice(-1));
      await once(socket, "close");
      return answer;
    };
  }

  async function createAdministrator(name: string) {
    const email = `${name}@example.com`;
    const id = await api.createUser(root, { email, password, roles: ["admin"] });
    return { id, authorization: `Bearer ${await api.signIn(email, password)}` };
  }

  const deactivate = (id: string) =>
    api.call(`/users/${id}/deactivate?wait=enforced&timeout_ms=5000`, { method: "POST", token: root });

  for (const [what, more] of [
    ["", {}],
    [", and has an Idempotency-Key", { "idempotency-key": "one" }],
  ] as const) {
    it(`changes nothing for who was revoked meanwhile${what}`, async () => {
      const { id, authorization } = await createAdministrator("mallory");
      const person = { email: "backdoor@example.com", password, roles: ["admin"] };
      const finish = await begin("/users", { authorization, ...more }, person);
      expect((await deactivate(id)).body["status"]).to.equal("enforced");

      expect(await finish()).to.match(/^HTTP\/1.1 401 .*user-deactivated/s);
      const { status } = await api.call("/auth/login", { body: { email: person.email, password } });
      expect(status).to.equal(401);
    });
  }

  it("publishes no event for who was revoked meanwhile", async () => {
    const { id, authorization } = await createAdministrator("mallory");
    const event = { specversion: "1.0", source: "/hr", id: "1", type: "user.signed-out", subject: id };
    const headers = { authorization, "content-type": "application/cloudevents+json" };
    const finish = await begin("/events", headers, event);
    await deactivate(id);
    expect(await finish()).to.match(/^HTTP\/1.1 401 .*user-deactivated/s);
  });

  it("is answered as ever for who was not", async () => {
    const { authorization } = await createAdministrator("alice");
    const finish = await begin("/users", { authorization }, { email: "bob@example.com", password });
    expect(await finish()).to.match(/^HTTP\/1.1 201 /);
  });
});
