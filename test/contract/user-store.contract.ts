import { expect } from "chai";
import { beforeEach, describe, it } from "mocha";
import { AppError } from "../../shared/errors.ts";
import { ownSource, type QuashEvent } from "../../shared/events/event.ts";
import type {
  KeptDeactivation,
  NewUser,
  StateChange,
  User,
  UserStore,
} from "../../shared/ports/user-store.ts";
import { changeOfOurs, type UserChange } from "../../shared/revocation/user-state.ts";
import { expectError } from "../support/expect-error.ts";
import type { Databases } from "./database.contract.ts";

export function userStoreContract(databases: () => Databases): void {
  describe("users", () => {
    let users: UserStore;
    let elsewhere: UserStore;

    beforeEach(() => {
      users = databases().one.users;
      elsewhere = databases().other.users;
    });

    describe("create", () => {
      it("returns the user as every connection finds him: by id, e-mail and external identity", async () => {
        const created = await users.create(newUser("u1", { externalIds: [identity("a"), identity("b")] }));

        expect(created).to.deep.equal({
          ...newUser("u1", { externalIds: [identity("a"), identity("b")] }),
          status: "active",
          epoch: 0,
          statusChangedAtMs: 1_000,
          epochRaisedAtMs: 1_000,
          outboxLength: 0,
          revision: 0,
          lastDeactivation: null,
        });
        expect(await elsewhere.findById("u1")).to.deep.equal(created);
        expect(await elsewhere.findByEmail("u1@quash.test")).to.deep.equal(created);
        expect(await elsewhere.findByExternalIdentity(identity("b"))).to.deep.equal(created);
      });

      it("finds nobody by what nobody has", async () => {
        await users.create(newUser("u1", { externalIds: [identity("a")] }));

        expect(await users.findById("u2")).to.equal(null);
        expect(await users.findByEmail("u2@quash.test")).to.equal(null);
        expect(await users.findByEmail("")).to.equal(null);
        expect(await users.findByExternalIdentity({ iss: "a", sub: "https://idp.test" })).to.equal(null);
      });

      it("takes many users without external identities", async () => {
        await Promise.all(["u1", "u2", "u3"].map((id) => users.create(newUser(id))));

        expect(await users.list({ limit: 10 })).to.have.lengthOf(3);
      });

      it("gives an e-mail address to one of many who want it at once", async () => {
        const wanted = Array.from({ length: 10 }, (_, index) =>
          (index % 2 === 0 ? users : elsewhere).create(newUser(`u${index}`, { email: "one@quash.test" })),
        );

        const outcomes = await codesOf(wanted);
        expect(outcomes.toSorted()).to.deep.equal(["created", ...Array<string>(9).fill("email-taken")]);
        expect(await users.list({ limit: 20 })).to.have.lengthOf(1);
      });

      it("gives an external identity to one of many who want it at once", async () => {
        const wanted = Array.from({ length: 6 }, (_, index) =>
          users.create(newUser(`u${index}`, { externalIds: [identity(`own-${index}`), identity("shared")] })),
        );

        const outcomes = await codesOf(wanted);
        expect(outcomes.filter((outcome) => outcome === "created")).to.have.lengthOf(1);
        expect(outcomes.filter((outcome) => outcome === "external-identity-taken")).to.have.lengthOf(5);
      });

      it("tells an identity from another one whose parts join to the same text", async () => {
        await users.create(newUser("u1", { externalIds: [{ iss: "a,b", sub: "c" }] }));
        await users.create(newUser("u2", { externalIds: [{ iss: "a", sub: "b,c" }] }));

        expect((await users.findByExternalIdentity({ iss: "a", sub: "b,c" }))?.id).to.equal("u2");
      });

      it("names the right conflict when the other one's text stands in the values", async () => {
        const sub = "index: email_unique email";
        await users.create(newUser("u1", { externalIds: [identity(sub)] }));

        const create = () => users.create(newUser("u2", { externalIds: [identity(sub)] }));
        await expectError("external-identity-taken", create);
      });
    });

    describe("list", () => {
      it("pages by id, each user once, tombstones left out", async () => {
        for (const id of ["c", "a", "e", "b", "d"]) await users.create(newUser(id));
        await moveOn(users, "b", "user.deleted");

        const first = await users.list({ limit: 2 });
        const second = await users.list({ limit: 2, after: "c" });
        expect([first, second].map((page) => page.map(({ id }) => id))).to.deep.equal([
          ["a", "c"],
          ["d", "e"],
        ]);
        expect(await users.list({ limit: 2, after: "e" })).to.deep.equal([]);
      });

      it("leaves out what stands for a client, which is found by its id", async () => {
        await users.create(newUser("a"));
        const client = await users.create({ ...newUser("b"), isClient: true });

        expect((await users.list({ limit: 9 })).map(({ id }) => id)).to.deep.equal(["a"]);
        expect(await users.list({ limit: 9, email: "b@quash.test" })).to.deep.equal([]);
        expect(await elsewhere.findById("b")).to.deep.equal(client);
        expect(client.isClient).to.equal(true);
      });

      it("chooses by status and by e-mail address", async () => {
        for (const id of ["a", "b", "c"]) await users.create(newUser(id));
        await moveOn(users, "b", "user.deactivated");

        const idsOf = (page: readonly User[]) => page.map(({ id }) => id);
        expect(idsOf(await users.list({ limit: 9, status: "active" }))).to.deep.equal(["a", "c"]);
        expect(idsOf(await users.list({ limit: 9, status: "deactivated" }))).to.deep.equal(["b"]);
        expect(idsOf(await users.list({ limit: 9, email: "c@quash.test" }))).to.deep.equal(["c"]);
        expect(await users.list({ limit: 9, email: "c@quash.test", status: "deactivated" })).to.deep.equal(
          [],
        );
      });

      it("pages the states of all by id, tombstones among them", async () => {
        for (const id of ["c", "a", "b"]) await users.create(newUser(id));
        const deleted = await moveOn(users, "b", "user.deleted");

        const first = await elsewhere.listStates({ limit: 2 });
        const second = await users.listStates({ limit: 2, after: "b" });
        const fresh = { status: "active", epoch: 0, statusChangedAtMs: 1_000, epochRaisedAtMs: 1_000 };
        const { status, epoch, statusChangedAtMs, epochRaisedAtMs } = deleted ?? fresh;
        expect(status).to.equal("deleted");
        expect(first).to.deep.equal([
          { id: "a", ...fresh },
          { id: "b", status, epoch, statusChangedAtMs, epochRaisedAtMs },
        ]);
        expect(second).to.deep.equal([{ id: "c", ...fresh }]);
        expect(await users.listStates({ limit: 2, after: "c" })).to.deep.equal([]);
      });

      it("knows whether there is an administrator who is active", async () => {
        await users.create(newUser("u1"));
        expect(await users.hasAdministrator()).to.equal(false);

        await users.create(newUser("u2", { roles: ["user", "admin"] }));
        expect(await users.hasAdministrator()).to.equal(true);

        await moveOn(users, "u2", "user.deactivated");
        expect(await users.hasAdministrator()).to.equal(false);
      });
    });

    describe("hasOtherAdministrator", () => {
      it("is so while another active user has the role", async () => {
        await users.create(newUser("u1", { roles: ["admin"] }));
        await users.create(newUser("u2"));
        expect(await users.hasOtherAdministrator("u1")).to.equal(false);

        await users.create(newUser("u3", { roles: ["user", "admin"] }));
        expect(await elsewhere.hasOtherAdministrator("u1")).to.equal(true);
        await moveOn(users, "u3", "user.deactivated");
        expect(await elsewhere.hasOtherAdministrator("u1")).to.equal(false);
        expect(await elsewhere.hasOtherAdministrator("u3")).to.equal(true);
      });
    });

    describe("raiseRevision", () => {
      it("outdates the changes that name the revision before, and no other", async () => {
        const user = await users.create(newUser("u1"));
        const change = changeOf(user, "user.deactivated");
        await elsewhere.raiseRevision("u1");
        await elsewhere.raiseRevision("nobody");

        expect(await users.change("u1", { ...change, revision: user.revision })).to.equal(null);
        const { revision } = (await users.findById("u1")) ?? {};
        expect(revision).to.equal(user.revision + 1);
        expect(await users.change("u1", { ...change, revision: user.revision + 1 })).to.include({
          status: "deactivated",
          revision,
        });
      });

      it("does not matter to a change that names none", async () => {
        const user = await users.create(newUser("u1"));
        await users.raiseRevision("u1");

        expect(await users.change("u1", changeOf(user, "user.deactivated"))).not.to.equal(null);
      });
    });

    describe("change", () => {
      it("writes the state, the event and the receipt in one step", async () => {
        const user = await users.create(newUser("u1"));
        const event = anEvent("e1", { timeMs: 5_001, details: { epoch: 1, actor: "admin" } });
        const change = { ...changeOf(user, "user.deactivated"), event, deactivation: kept("e1") };

        const changed = await users.change("u1", change);
        expect(changed).to.deep.equal({
          ...user,
          ...change.to,
          outboxLength: 1,
          lastDeactivation: kept("e1"),
        });
        expect(await elsewhere.findById("u1")).to.deep.equal(changed);
        expect(await elsewhere.findOutboxEvent("e1")).to.deep.equal({ userId: "u1", event });
      });

      it("keeps the last receipt through a change that brings none", async () => {
        const user = await users.create(newUser("u1"));
        await users.change("u1", { ...changeOf(user, "user.deactivated"), deactivation: kept("e1") });

        const changed = await moveOn(users, "u1", "user.reactivated");
        expect(changed).to.include({ status: "active", epoch: 1, outboxLength: 0 });
        expect(changed?.lastDeactivation).to.deep.equal(kept("e1"));
      });

      it("keeps what was dated ahead through a change that says nothing of it, and in no tombstone", async () => {
        const user = await users.create(newUser("u1"));
        const datedAhead = [
          { eventId: "e1", timeMs: 9_001, changesStatus: true },
          { eventId: "e2", timeMs: 9_002, changesStatus: false },
        ];
        await users.change("u1", { from: user, to: user, datedAhead });
        expect(await elsewhere.findById("u1")).to.deep.equal({ ...user, datedAhead });

        const signedOut = await moveOn(users, "u1", "user.signed-out");
        expect(signedOut?.datedAhead).to.deep.equal(datedAhead);
        const later = { from: signedOut ?? user, to: signedOut ?? user };
        expect((await users.change("u1", { ...later, datedAhead: [] }))?.datedAhead).to.equal(undefined);

        await users.change("u1", { ...later, datedAhead });
        expect((await moveOn(users, "u1", "user.deleted"))?.datedAhead).to.equal(undefined);
      });

      it("lets one of many changes decided on the same state through, with its event only", async () => {
        const user = await users.create(newUser("u1"));

        const changes = Array.from({ length: 10 }, (_, index) =>
          (index % 2 === 0 ? users : elsewhere).change("u1", {
            ...changeOf(user, "user.signed-out"),
            event: anEvent(`e${index}`),
          }),
        );
        const through = (await Promise.all(changes)).filter((changed) => changed !== null);
        expect(through).to.have.lengthOf(1);
        expect(await users.findById("u1")).to.include({ epoch: 1, outboxLength: 1 });
        expect(await users.listOutbox(20)).to.have.lengthOf(1);
      });

      for (const part of ["status", "epoch", "statusChangedAtMs", "epochRaisedAtMs"] as const) {
        it(`is refused when the ${part} it was decided on is another`, async () => {
          const { status, epoch, statusChangedAtMs, epochRaisedAtMs } = await users.create(newUser("u1"));
          const now = { status, epoch, statusChangedAtMs, epochRaisedAtMs };
          const from = part === "status" ? { ...now, status: "deactivated" as const } : { ...now, [part]: 7 };

          const change = { from, to: { ...now, epoch: 9 }, event: anEvent("e1") };
          expect(await users.change("u1", change)).to.equal(null);
          expect(await users.findById("u1")).to.include({ epoch: 0, outboxLength: 0 });
        });
      }

      it("is refused for a user who does not exist", async () => {
        const user = await users.create(newUser("u1"));

        expect(await users.change("u2", changeOf(user, "user.deactivated"))).to.equal(null);
      });
    });

    describe("changeMany", () => {
      it("changes each that is as it was decided on, and no other", async () => {
        const [one, two, three] = await Promise.all(
          ["u1", "u2", "u3"].map((id) => users.create(newUser(id))),
        );
        if (one === undefined || two === undefined || three === undefined) throw new Error("no users");
        await moveOn(elsewhere, "u2", "user.signed-out");

        const changed = await users.changeMany([
          { id: "u1", change: { ...changeOf(one, "user.deactivated"), deactivation: kept("e1") } },
          { id: "u2", change: changeOf(two, "user.deactivated") },
          { id: "u3", change: { ...changeOf(three, "user.deleted"), changedAtMs: 9_000 } },
          { id: "u4", change: changeOf(one, "user.deactivated") },
        ]);
        expect(changed.map((user) => user?.status ?? null)).to.deep.equal([
          "deactivated",
          null,
          "deleted",
          null,
        ]);
        expect(changed[0]).to.deep.equal(await elsewhere.findById("u1"));
        expect(await elsewhere.findById("u1")).to.deep.include({ epoch: 1, lastDeactivation: kept("e1") });
        expect(await elsewhere.findById("u2")).to.include({ status: "active", epoch: 1 });
        expect(await elsewhere.findByEmail("u3@quash.test")).to.equal(null);
      });

      it("lets one of two changes of one user through that were decided on the same state", async () => {
        const user = await users.create(newUser("u1"));
        const changed = await users.changeMany([
          { id: "u1", change: changeOf(user, "user.deactivated") },
          { id: "u1", change: changeOf(user, "user.signed-out") },
        ]);
        expect(changed.filter((one) => one !== null)).to.have.lengthOf(1);
        expect(await users.findById("u1")).to.include({ epoch: 1 });
      });
    });

    it("finds many by their ids, those that there are", async () => {
      const created = await Promise.all(["u1", "u2", "u3"].map((id) => users.create(newUser(id))));
      const found = await elsewhere.findMany(["u3", "nobody", "u1"]);
      expect(found.toSorted((a, b) => (a.id < b.id ? -1 : 1))).to.deep.equal([created[0], created[2]]);
    });

    describe("a deleted user", () => {
      const personal = newUser("u1", { roles: ["user", "admin"], externalIds: [identity("a")] });

      it("is found by his id alone, without what is personal, and with the event that tells of it", async () => {
        const user = await users.create(personal);
        const event = anEvent("e1", { type: "user.deleted" });
        const tombstone = await users.change("u1", { ...changeOf(user, "user.deleted"), event });

        const nobody = { email: "", passwordHash: "", roles: [], externalIds: [] };
        expect(tombstone).to.deep.include({ ...nobody, status: "deleted", epoch: 1, outboxLength: 1 });
        expect(await elsewhere.findById("u1")).to.deep.equal(tombstone);
        expect(await elsewhere.findByEmail(personal.email)).to.equal(null);
        expect(await elsewhere.findByEmail("")).to.equal(null);
        expect(await elsewhere.findByExternalIdentity(identity("a"))).to.equal(null);
        expect(await elsewhere.list({ limit: 9 })).to.deep.equal([]);
        expect(await elsewhere.hasAdministrator()).to.equal(false);
      });

      it("leaves his e-mail address and identities to others, and does not stand in the way of the next", async () => {
        for (const id of ["u1", "u2", "u3"]) {
          await users.create({ ...personal, id });
          await moveOn(users, id, "user.deleted");
        }

        await users.create({ ...personal, id: "u4" });
        expect((await users.findByEmail(personal.email))?.id).to.equal("u4");
        expect((await users.findByExternalIdentity(identity("a")))?.id).to.equal("u4");
      });

      it("is purged once his outbox is empty and his time has come, in bounded steps", async () => {
        for (const id of ["u1", "u2", "u3", "u4", "u5"]) await users.create(newUser(id));
        for (const id of ["u1", "u2", "u3", "u4"]) await moveOn(users, id, "user.deleted", 5_000);
        await users.appendEvent("u4", anEvent("e1"));
        await moveOn(users, "u5", "user.deactivated", 5_000);

        expect(await users.purgeTombstones(5_000, 9)).to.equal(0);
        expect(await users.purgeTombstones(5_001, 2)).to.equal(2);
        expect(await users.purgeTombstones(5_001, 2)).to.equal(1);
        expect(await users.purgeTombstones(5_001, 2)).to.equal(0);
        await users.removeFromOutbox("u4", "e1");
        expect(await users.purgeTombstones(5_001, 2)).to.equal(1);
        expect(await users.findById("u4")).to.equal(null);
        expect((await users.findById("u5"))?.status).to.equal("deactivated");
      });
    });

    describe("a tombstone", () => {
      it("counts from when it was made, not from when the deletion took effect", async () => {
        const user = await users.create(newUser("u1"));
        await users.change("u1", { ...changeOf(user, "user.deleted", 5_000), changedAtMs: 8_000 });

        expect(await elsewhere.purgeTombstones(8_000, 9)).to.equal(0);
        expect(await elsewhere.purgeTombstones(8_001, 9)).to.equal(1);
      });

      it("stays while it is spared, and keeps no other from going", async () => {
        for (const id of ["u1", "u2", "u3"]) {
          await users.create(newUser(id));
          await moveOn(users, id, "user.deleted", 5_000);
        }

        expect(await users.purgeTombstones(5_001, 1, ["u1", "u2"])).to.equal(1);
        expect(await elsewhere.findById("u3")).to.equal(null);
        expect(await elsewhere.findById("u1")).to.include({ status: "deleted" });
        expect(await users.purgeTombstones(5_001, 9)).to.equal(2);
      });
    });

    describe("the outbox", () => {
      it("gives every event back as it went in", async () => {
        const events = [
          anEvent("e1", { details: {} }),
          anEvent("e2", {
            type: "token.revoked",
            details: { jti: "t1", exp: 1_700_000_000, sid: "s1", reason: "lost", actor: "u1", epoch: 2 },
          }),
          anEvent("e3", { details: { external: identity("a"), reason: "$set: { 'a.b': 1 }" } }),
        ];
        await users.create(newUser("u1"));
        for (const event of events) await users.appendEvent("u1", event);

        expect((await elsewhere.listOutbox(9)).map(({ event }) => event)).to.deep.equal(events);
      });

      it("keeps the order of one user's events, whoever appends them", async () => {
        await users.create(newUser("u1"));
        await users.create(newUser("u2"));
        for (const id of ["e3", "e1", "e2"]) {
          await users.appendEvent("u1", anEvent(id));
          await elsewhere.appendEvent("u2", anEvent(`x${id}`));
        }

        const entries = await users.listOutbox(9);
        const idsOf = (userId: string) =>
          entries.filter((entry) => entry.userId === userId).map(({ event }) => event.id);
        expect(idsOf("u1")).to.deep.equal(["e3", "e1", "e2"]);
        expect(idsOf("u2")).to.deep.equal(["xe3", "xe1", "xe2"]);
        expect(await users.countOutbox()).to.equal(6);
        expect(await users.findById("u1")).to.include({ outboxLength: 3, epoch: 0 });
      });

      it("lists at most as many events as it was asked for, from the front", async () => {
        await users.create(newUser("u1"));
        for (const id of ["e3", "e1", "e2"]) await users.appendEvent("u1", anEvent(id));

        expect((await users.listOutbox(2)).map(({ event }) => event.id)).to.deep.equal(["e3", "e1"]);
      });

      it("finds an event by its id, and none that is not there", async () => {
        await users.create(newUser("u1"));
        for (const id of ["e1", "e2"]) await users.appendEvent("u1", anEvent(id));

        expect(await users.findOutboxEvent("e2")).to.deep.equal({ userId: "u1", event: anEvent("e2") });
        expect(await users.findOutboxEvent("e3")).to.equal(null);
      });

      it("lets one event go, once, and keeps the rest", async () => {
        await users.create(newUser("u1"));
        for (const id of ["e1", "e2", "e3"]) await users.appendEvent("u1", anEvent(id));

        const removals = [users, elsewhere, users].map((store) => store.removeFromOutbox("u1", "e2"));
        await Promise.all([...removals, users.removeFromOutbox("nobody", "e1")]);
        expect((await users.listOutbox(9)).map(({ event }) => event.id)).to.deep.equal(["e1", "e3"]);
        expect((await users.findById("u1"))?.outboxLength).to.equal(2);
      });

      it("appends an event once, however often that is asked for", async () => {
        await users.create(newUser("u1"));
        for (const store of [users, elsewhere]) {
          expect(await store.appendEvent("u1", anEvent("e1"))).to.equal(true);
        }

        expect(await users.listOutbox(9)).to.have.lengthOf(1);
        expect((await users.findById("u1"))?.outboxLength).to.equal(1);
      });

      it("says when there is no user to append to", async () => {
        expect(await users.appendEvent("nobody", anEvent("e1"))).to.equal(false);
        expect(await users.countOutbox()).to.equal(0);
      });
    });

    describe("keepDeactivation", () => {
      it("copies what became of the last deactivation", async () => {
        const user = await users.create(newUser("u1"));
        await users.change("u1", { ...changeOf(user, "user.deactivated"), deactivation: kept("e1") });

        const settled = { ...kept("e1"), appliedAtMs: 6_000, enforcedAtMs: 7_000, tokensRevoked: 2 };
        await users.keepDeactivation("u1", settled);
        expect((await users.findById("u1"))?.lastDeactivation).to.deep.equal(settled);
      });

      it("leaves another deactivation alone", async () => {
        const user = await users.create(newUser("u1"));
        await users.create(newUser("u2"));
        await users.change("u1", { ...changeOf(user, "user.deactivated"), deactivation: kept("e2") });

        for (const id of ["u1", "u2", "nobody"]) await users.keepDeactivation(id, kept("e1"));
        expect((await users.findById("u1"))?.lastDeactivation).to.deep.equal(kept("e2"));
        expect((await users.findById("u2"))?.lastDeactivation).to.equal(null);
      });
    });
  });
}

function newUser(id: string, changed: Partial<NewUser> = {}): NewUser {
  return {
    id,
    email: `${id}@quash.test`,
    passwordHash: `hash of ${id}`,
    roles: ["user"],
    externalIds: [],
    createdAtMs: 1_000,
    ...changed,
  };
}

const identity = (sub: string) => ({ iss: "https://idp.test", sub });

function anEvent(id: string, changed: Partial<QuashEvent> = {}): QuashEvent {
  return {
    id,
    source: ownSource("test"),
    type: "user.deactivated",
    subject: "u1",
    timeMs: 5_000,
    details: { epoch: 1 },
    ...changed,
  };
}

function kept(eventId: string): KeptDeactivation {
  return {
    eventId,
    source: ownSource("test"),
    reason: null,
    requestedAtMs: 5_000,
    appliedAtMs: null,
    enforcedAtMs: null,
    tokensRevoked: 0,
  };
}

function changeOf(user: User, change: UserChange, nowMs = 5_000): StateChange {
  const { status, epoch, statusChangedAtMs, epochRaisedAtMs } = user;
  const from = { status, epoch, statusChangedAtMs, epochRaisedAtMs };
  const to = changeOfOurs(from, change, nowMs);
  if (to === null) throw new Error(`${change} changes nothing`);
  return { from, to };
}

async function moveOn(
  users: UserStore,
  id: string,
  change: UserChange,
  nowMs?: number,
): Promise<User | null> {
  const user = await users.findById(id);
  if (user === null) throw new Error(`there is no user ${id}`);
  return users.change(id, changeOf(user, change, nowMs));
}

/** `created`, or the code of the error, of each. */
async function codesOf(creations: readonly Promise<User>[]): Promise<string[]> {
  const outcomes = await Promise.allSettled(creations);
  return outcomes.map((outcome) => {
    if (outcome.status === "fulfilled") return "created";
    const { reason } = outcome as { readonly reason: unknown };
    return reason instanceof AppError ? reason.code : String(reason);
  });
}
