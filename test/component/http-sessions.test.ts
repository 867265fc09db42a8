import { expect } from "chai";
import { after, before, describe, it } from "mocha";
import { eventually } from "../support/eventually.ts";
import { expectProblem } from "../support/expect-problem.ts";
import { type ApiWorld, createApiWorld, type TestApi } from "../support/test-api.ts";

const password = "long enough";
const time = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;
const times = ["created_at", "last_used_at", "expires_at"];

interface Grant {
  readonly access: string;
  readonly refresh: string;
}

describe("sessions over HTTP", () => {
  let world: ApiWorld;
  let api: TestApi;
  let other: TestApi;
  let root: string;
  let people = 0;

  before(async () => {
    world = await createApiWorld();
    await world.startWorker();
    [api, other] = await Promise.all([world.startApi(), world.startApi()]);
    root = await api.signIn();
  });
  after(() => world.close());

  async function grantOf(path: string, body: unknown, agent = "a browser"): Promise<Grant> {
    const answer = await api.call(path, { body, headers: { "user-agent": agent } });
    expect(answer.status, JSON.stringify(answer.body)).to.equal(200);
    return { access: String(answer.body["access_token"]), refresh: String(answer.body["refresh_token"]) };
  }

  async function createPerson() {
    people += 1;
    const email = `p${people}@example.com`;
    const id = await api.createUser(root, { email, password });
    return { id, email, signIn: (agent?: string) => grantOf("/auth/login", { email, password }, agent) };
  }

  async function listed(path: string, token: string): Promise<Record<string, unknown>[]> {
    const { status, body, headers } = await api.call(path, { token });
    expect([status, headers.get("cache-control")], JSON.stringify(body)).to.deep.equal([200, "no-store"]);
    const items: unknown = body["items"];
    return Array.isArray(items) ? items : [];
  }

  const untilRefused = (token: string) =>
    eventually(async () => {
      expect([await api.statusOf(token), await other.statusOf(token)]).to.deep.equal([401, 401]);
    });

  it("are listed for their user: since when, used when, from where, and which is this one", async () => {
    const person = await createPerson();
    await person.signIn("a phone");
    const { access } = await person.signIn("a desk\u0085");

    const items = await listed("/me/sessions", access);
    expect(items.map(({ agent, address, current }) => [agent, address, current])).to.deep.equal([
      ["a desk", "127.0.0.1", true],
      ["a phone", "127.0.0.1", false],
    ]);
    for (const item of items) {
      expect(Object.keys(item)).to.have.members([...times, "id", "address", "agent", "current"]);
      for (const name of times) expect(item[name]).to.match(time);
    }
  });

  it("show the last use, of which a refresh is one", async () => {
    const person = await createPerson();
    const first = await person.signIn("a phone");
    const [before] = await listed("/me/sessions", first.access);
    await grantOf("/auth/refresh", { refresh_token: first.refresh }, "a tablet");

    const [now] = await listed("/me/sessions", first.access);
    expect(now).to.include({ id: before?.["id"], agent: "a tablet", created_at: before?.["created_at"] });
    expect(String(now?.["last_used_at"]) >= String(before?.["last_used_at"])).to.equal(true);
  });

  it("are listed for operators without what only their holder can tell, page by page", async () => {
    const person = await createPerson();
    for (const agent of ["one", "two", "three"]) await person.signIn(agent);

    const page = await api.call(`/users/${person.id}/sessions?limit=2`, { token: root });
    expect(page.body["items"]).to.have.lengthOf(2);
    const next = await listed(
      `/users/${person.id}/sessions?limit=2&cursor=${String(page.body["next_cursor"])}`,
      root,
    );
    expect(next).to.have.lengthOf(1);
    expect(next[0]).to.not.have.property("current");
    expect(await listed(`/users/${person.id}/sessions`, root)).to.have.lengthOf(3);
  });

  it("are listed as long as one could go on with them", async () => {
    const person = await createPerson();
    await person.signIn();
    await api.call(`/users/${person.id}/sign-out`, { method: "POST", token: root });
    expect(await listed(`/users/${person.id}/sessions`, root)).to.deep.equal([]);

    await person.signIn();
    expect(await listed(`/users/${person.id}/sessions`, root)).to.have.lengthOf(1);
    await api.call(`/users/${person.id}/deactivate`, { method: "POST", token: root });
    expect(await listed(`/users/${person.id}/sessions`, root)).to.deep.equal([]);
  });

  it("are ended by their user, one by one, with all their tokens", async () => {
    const person = await createPerson();
    const [lost, kept] = [await person.signIn("lost"), await person.signIn("kept")];
    const lostId = (await listed("/me/sessions", kept.access)).find(({ agent }) => agent === "lost")?.["id"];
    const end = () => other.call(`/me/sessions/${String(lostId)}`, { method: "DELETE", token: kept.access });

    expect((await end()).status).to.equal(204);
    expectProblem(
      await api.call("/auth/refresh", { body: { refresh_token: lost.refresh } }),
      "refresh-token-invalid",
    );
    await untilRefused(lost.access);
    expect(await api.statusOf(kept.access)).to.equal(200);
    expect((await listed("/me/sessions", kept.access)).map(({ agent }) => agent)).to.deep.equal(["kept"]);
    expect((await end()).status).to.equal(204);
  });

  it("are ended by an administrator, with a receipt", async () => {
    const person = await createPerson();
    const { access, refresh } = await person.signIn();
    const [session] = await listed("/me/sessions", access);
    const path = `/users/${person.id}/sessions/${String(session?.["id"])}`;
    const answer = await api.call(path, { method: "DELETE", token: root, body: { reason: "stolen" } });

    expect(answer.status).to.equal(202);
    expect(answer.body).to.include({ type: "user.signed-out", subject: person.id, reason: "stolen" });
    const receipt = String(answer.headers.get("location"));
    await untilRefused(access);
    expectProblem(
      await api.call("/auth/refresh", { body: { refresh_token: refresh } }),
      "refresh-token-invalid",
    );
    await eventually(async () => {
      expect((await api.call(receipt, { token: root })).body).to.include({
        status: "enforced",
        tokens_revoked: 1,
      });
    });
    const again = await api.call(path, { method: "DELETE", token: root });
    expect([again.status, again.body["event_id"]]).to.deep.equal([202, answer.body["event_id"]]);
  });

  it("of somebody else, and those that there are not, are not found", async () => {
    const [one, two] = [await createPerson(), await createPerson()];
    const [mine, his] = [await one.signIn(), await two.signIn()];
    const hisId = String((await listed("/me/sessions", his.access))[0]?.["id"]);
    const remove = (path: string, token: string) => api.call(path, { method: "DELETE", token });

    expectProblem(await remove(`/me/sessions/${hisId}`, mine.access), "not-found");
    expectProblem(await remove(`/users/${one.id}/sessions/${hisId}`, root), "not-found");
    expectProblem(await remove(`/me/sessions/${one.id}`, mine.access), "not-found");
    expectProblem(await remove("/me/sessions/..%2f", mine.access), "not-found");
    expectProblem(await api.call(`/users/${hisId}/sessions`, { token: root }), "not-found");
    expect(await api.statusOf(his.access)).to.equal(200);
  });

  for (const query of ["limit=0", "limit=101", "cursor=x", "cursor=", "limit=1&limit=1", "sort=up"]) {
    it(`are not listed with ?${query}`, async () => {
      expectProblem(await api.call(`/me/sessions?${query}`, { token: root }), "validation-failed");
    });
  }

  it("are refreshed once by a call that is sent twice, whichever instance gets it", async () => {
    const person = await createPerson();
    const first = await person.signIn();
    const body = { refresh_token: first.refresh };
    const [one, two] = await Promise.all([
      api.call("/auth/refresh", { body }),
      other.call("/auth/refresh", { body }),
    ]);

    expect([one.status, two.status]).to.deep.equal([200, 200]);
    expect(two.body).to.deep.equal(one.body);
    expect((await other.call("/auth/refresh", { body })).body).to.deep.equal(one.body);
    const next = await other.call("/auth/refresh", { body: { refresh_token: one.body["refresh_token"] } });
    expect(next.status).to.equal(200);
    expectProblem(await api.call("/auth/refresh", { body }), "refresh-token-invalid");
    await untilRefused(String(next.body["access_token"]));
  });

  it("are not refreshed by a call that is sent twice once their user is deactivated", async () => {
    const person = await createPerson();
    const first = await person.signIn();
    const body = { refresh_token: first.refresh };
    const answers = await Promise.all([
      api.call("/auth/refresh", { body }),
      api.call(`/users/${person.id}/deactivate?wait=enforced`, { method: "POST", token: root }),
      other.call("/auth/refresh", { body }),
    ]);

    for (const { body: given } of answers) {
      if (typeof given["access_token"] === "string") await untilRefused(given["access_token"]);
    }
    for (const at of [api, other])
      expectProblem(await at.call("/auth/refresh", { body }), "refresh-token-invalid");
  });
});

describe("sessions behind a proxy", () => {
  let world: ApiWorld;

  before(async () => {
    world = await createApiWorld({ settings: { TRUST_PROXY: "1" } });
    await world.startWorker();
  });
  after(() => world.close());

  it("show the address for which the trusted proxy asked, at the sign-in and at each refresh", async () => {
    const api = await world.startApi();
    const email = "proxied@example.com";
    await api.createUser(await api.signIn(), { email, password });
    const grantFor = async (path: string, body: unknown, forwarded: string) =>
      (await api.call(path, { body, headers: { "x-forwarded-for": forwarded } })).body;
    const addressOf = async (grant: Record<string, unknown>) => {
      const { body } = await api.call("/me/sessions", { token: String(grant["access_token"]) });
      return (body["items"] as { address: string }[]).map(({ address }) => address);
    };

    const first = await grantFor("/auth/login", { email, password }, "198.51.100.1, 203.0.113.9");
    expect(await addressOf(first)).to.deep.equal(["203.0.113.9"]);
    const refreshed = await grantFor(
      "/auth/refresh",
      { refresh_token: first["refresh_token"] },
      "203.0.113.10",
    );
    expect(await addressOf(refreshed)).to.deep.equal(["203.0.113.10"]);
  });
});
