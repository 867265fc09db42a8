import { expect } from "chai";
import { afterEach, beforeEach, describe, it } from "mocha";
import { eventually } from "../support/eventually.ts";
import { expectProblem } from "../support/expect-problem.ts";
import { type ApiWorld, createApiWorld, type TestApi } from "../support/test-api.ts";
import { createWorkerWorld, type WorkerWorld } from "../support/worker-world.ts";

describe("the last administrator over HTTP", () => {
  let world: ApiWorld;
  let api: TestApi;
  let other: TestApi;
  let token: string;
  let ownId: string;

  beforeEach(async () => {
    world = await createApiWorld({ settings: { HOLD_ABOVE_USERS_PER_MINUTE: 1 } });
    await world.startWorker();
    [api, other] = await Promise.all([world.startApi(), world.startApi()]);
    token = await api.signIn();
    ownId = String((await api.call("/me", { token })).body["id"]);
  });
  afterEach(() => world.close());

  const addAdministrator = () =>
    api.createUser(token, { email: "second@example.com", password: "long enough", roles: ["admin"] });
  const change = (id: string, path = "/deactivate", at = api) =>
    at.call(`/users/${id}${path}`, { method: path === "" ? "DELETE" : "POST", token });

  it("is neither deactivated nor deleted, and is told what to do", async () => {
    expectProblem(await change(ownId), "last-administrator");
    expectProblem(await change(ownId, ""), "last-administrator");
    expect(await api.statusOf(token)).to.equal(200);
    expect((await change(ownId, "/sign-out")).status).to.equal(202);
  });

  it("is one of two who are deactivated at two instances at the same time", async () => {
    const second = await addAdministrator();
    const answers = await Promise.all([change(ownId), change(second, "/deactivate", other)]);

    expect(answers.filter(({ body }) => body["status"] === "pending")).to.have.lengthOf(1);
    const { users } = world.databaseServer.connect();
    expect(await users.hasAdministrator()).to.equal(true);
  });

  it("is not deactivated by a confirmation: 409, and a dead letter", async () => {
    const second = await addAdministrator();
    const { users, ledger } = world.databaseServer.connect();
    const person = await api.createUser(token, { email: "p@example.com", password: "long enough" });
    await change(person);
    const eventId = String((await change(ownId)).body["event_id"]);
    expect((await ledger.find(eventId))?.status).to.equal("held");
    const user = await users.findById(second);
    if (user === null) throw new Error("no such user");
    const at = user.statusChangedAtMs + 1;
    const gone = {
      ...user,
      status: "deactivated",
      epoch: 1,
      statusChangedAtMs: at,
      epochRaisedAtMs: at,
    } as const;
    await users.change(second, { from: user, to: gone });

    const answer = await api.call(`/revocations/${eventId}/confirm`, { method: "POST", token });
    expectProblem(answer, "last-administrator");
    await eventually(async () => expect((await ledger.find(eventId))?.status).to.equal("failed"));
    expect(await users.findById(ownId)).to.include({ status: "active" });
    const [letter] = world.logServer.read("dead-letters");
    expect(String(Buffer.from(Object(letter?.headers["dead_letter_reason"])))).to.equal("last-administrator");
  });
});

describe("the last administrator, and upstream systems", () => {
  let world: WorkerWorld;
  beforeEach(async () => {
    world = await createWorkerWorld();
    await world.start();
  });
  afterEach(() => world.close());

  for (const type of ["user.deactivated", "user.deleted"] as const) {
    it(`stays in service, and the ${type} becomes a dead letter that tells why`, async () => {
      const last = await world.addUser({ roles: ["admin"] });
      const bystander = await world.addUser();
      await world.platform.advance(1_000);
      const event = world.event(type, { subject: last.id });
      await world.publish(event, world.event(type, { subject: bystander.id }));
      await world.platform.advance(1_000);

      expect(world.deadLetterReasons()).to.deep.equal(["last-administrator"]);
      expect(await world.database.users.findById(last.id)).to.include({ status: "active", epoch: 0 });
      expect(await world.database.users.findById(bystander.id)).not.to.include({ status: "active" });
      expect((await world.rowOf(event))?.status).to.equal("failed");
      expect(world.logServer.lag).to.equal(0);
    });
  }

  it("is one of two who are deactivated by two workers at the same time", async () => {
    await world.start();
    const both = [await world.addUser({ roles: ["admin"] }), await world.addUser({ roles: ["admin"] })];
    await world.platform.advance(1_000);
    await world.publish(...both.map(({ id }) => world.event("user.deactivated", { subject: id })));
    await world.platform.advance(30_000);

    expect(world.deadLetterReasons()).to.deep.equal(["last-administrator"]);
    expect(await world.database.users.hasAdministrator()).to.equal(true);
  });
});
