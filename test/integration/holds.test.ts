import { expect } from "chai";
import { after, before, it } from "mocha";
import { type Client, createClient } from "../support/client.ts";
import { dropMongoDatabase } from "../support/drop-mongo-database.ts";
import { eventually } from "../support/eventually.ts";
import { createFleet, type Fleet } from "../support/fleet.ts";
import { describeWithServices, freshNamespace } from "../support/services.ts";
import { connectUpstream, type Upstream } from "../support/upstream.ts";

const most = 2;
const password = "long enough";
const patience = { timeoutMs: 40_000, intervalMs: 200 };

describeWithServices("mass deactivations on real processes", ["mongo", "redis", "kafka"], (services) => {
  const namespace = freshNamespace();
  let fleet: Fleet;
  let upstream: Upstream;
  let api: Client;
  let token: string;

  before(async function () {
    this.timeout(120_000);
    const settings = { HOLD_ABOVE_USERS_PER_MINUTE: String(most), HOLD_TRUSTED_SOURCES: "/sync" };
    fleet = await createFleet({ ...services, namespace, settings });
    const [{ url }] = await Promise.all([fleet.startApi(), fleet.startWorker(), fleet.startWorker()]);
    api = createClient(url);
    token = await api.signIn();
    upstream = await connectUpstream(services.kafkaBrokers, namespace);
  });
  after(async function () {
    this.timeout(60_000);
    await upstream.close();
    await fleet.close();
    await dropMongoDatabase(services.mongoUrl, namespace);
  });

  const createPeople = (count: number, name: string) =>
    Promise.all(
      Array.from({ length: count }, (_, at) =>
        api.createUser(token, { email: `${name}-${at}@example.com`, password }),
      ),
    );
  const statusesOf = async (ids: readonly string[]) => {
    const users = await Promise.all(ids.map((id) => api.call(`/users/${id}`, { token })));
    return users.map(({ body }) => body["status"]);
  };
  async function heldOf(ids: readonly string[]): Promise<string[]> {
    const { items } = (await api.call("/revocations?status=held&limit=100", { token })).body;
    return (Array.isArray(items) ? items : [])
      .map((item: unknown) => Object(item))
      .filter((item) => ids.includes(String(Reflect.get(item, "subject"))))
      .map((item) => String(Reflect.get(item, "event_id")));
  }

  it("are held over all workers, and go their way once confirmed", async function () {
    this.timeout(120_000);
    const ids = await createPeople(6, "dump");
    await Promise.all(ids.map((subject) => upstream.publish({ type: "user.deactivated", subject })));
    const held = await eventually(async () => {
      const found = await heldOf(ids);
      expect(found).to.have.lengthOf(ids.length - most);
      return found;
    }, patience);
    expect((await statusesOf(ids)).filter((status) => status === "active")).to.have.lengthOf(held.length);

    for (const eventId of held) {
      const answer = await api.call(`/revocations/${eventId}/confirm`, { method: "POST", token });
      expect(answer.status).to.equal(202);
    }
    await eventually(async () => {
      expect(new Set(await statusesOf(ids))).to.deep.equal(new Set(["deactivated"]));
    }, patience);
  });

  it("are held over HTTP, and not of a source that is trusted", async function () {
    this.timeout(120_000);
    const [ids, trusted] = [await createPeople(3, "http"), await createPeople(4, "trusted")];
    const answers: unknown[] = [];
    for (const id of ids) {
      answers.push((await api.call(`/users/${id}/deactivate`, { method: "POST", token })).body["status"]);
    }
    expect(answers).to.deep.equal(["pending", "pending", "held"]);

    for (const subject of trusted) {
      await upstream.publish({ type: "user.deactivated", subject, source: "/sync" });
    }
    await eventually(async () => {
      expect(new Set(await statusesOf(trusted))).to.deep.equal(new Set(["deactivated"]));
    }, patience);
  });
});
