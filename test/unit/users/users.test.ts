import { expect } from "chai";
import { beforeEach, describe, it } from "mocha";
import { createArgon2Hasher, hashOfNobody } from "../../../api/users/password-hasher.ts";
import { expectError } from "../../support/expect-error.ts";
import { alice, createWorld, type World } from "./world.ts";

describe("users", () => {
  let world: World;

  beforeEach(async () => {
    world = await createWorld();
  });

  describe("createUser", () => {
    it("stores a normalised address and an active user of one role", async () => {
      const user = await world.createUser({ ...alice, email: " Ali\u0301ce@EXAMPLE.com" });
      expect(user).to.include({ email: "alíce@example.com", status: "active" });
      expect(user.roles).to.deep.equal(["user"]);
      expect(user.passwordHash).to.equal(`hash of ${alice.password}`);
    });

    it("refuses an address that is in use in another spelling", async () => {
      await world.createUser(alice);
      await expectError("email-taken", () => world.createUser({ ...alice, email: "ALICE@example.com" }));
    });

    for (const email of [
      "",
      "alice",
      "a@b@c",
      "a b@c",
      "@c",
      "a@",
      "a\u0000@c",
      "a\u200b@c",
      `${"a".repeat(250)}@c.de`,
    ]) {
      it(`refuses the address ${JSON.stringify(email.slice(0, 10))}`, async () => {
        const error = await expectError("validation-failed", () => world.createUser({ ...alice, email }));
        expect(error.errors[0]?.pointer).to.equal("/email");
      });
    }

    for (const password of [
      "",
      "1234567",
      "a".repeat(1025),
      "é".repeat(513),
      "12345678\u0000",
      "1234567\n8",
      "12345678\ud800",
    ]) {
      it(`refuses a password of ${password.length} characters, ${JSON.stringify(password.slice(-2))} last`, async () => {
        const error = await expectError("validation-failed", () => world.createUser({ ...alice, password }));
        expect(error.errors[0]?.pointer).to.equal("/password");
        if (password !== "") expect(error.message).not.to.include(password);
      });
    }

    for (const password of ["12345678", "        ", "a".repeat(1024), "éééé"]) {
      it(`accepts a password of ${Buffer.byteLength(password)} bytes`, async () => {
        expect((await world.createUser({ ...alice, password })).email).to.equal(alice.email);
      });
    }
  });

  describe("readUsers", () => {
    it("pages through all users, each once", async () => {
      const made = await Promise.all(
        [1, 2, 3, 4, 5].map((n) => world.createUser({ ...alice, email: `user${n}@example.com` })),
      );
      const read: string[] = [];
      let cursor: string | null | undefined;
      do {
        const page = await world.readUsers.list({ limit: 2, cursor: cursor ?? undefined });
        read.push(...page.items.map(({ id }) => id));
        cursor = page.nextCursor;
      } while (cursor !== null);
      expect(read).to.deep.equal(made.map(({ id }) => id).toSorted());
    });

    it("gives no cursor when the last page is full", async () => {
      await world.createUser(alice);
      expect((await world.readUsers.list({ limit: 1 })).nextCursor).to.equal(null);
    });

    it("filters by status and by address in any spelling", async () => {
      const user = await world.createUser(alice);
      await world.createUser({ ...alice, email: "bob@example.com" });
      await world.deactivate({ userId: user.id, actor: "root" });
      const list = async (query: object) =>
        (await world.readUsers.list({ limit: 9, ...query })).items.map(({ email }) => email);
      expect(await list({ status: "deactivated" })).to.deep.equal(["alice@example.com"]);
      expect(await list({ email: "BOB@example.com" })).to.deep.equal(["bob@example.com"]);
    });

    for (const cursor of ["", "x", "=", "AAAA", Buffer.from("' or 1").toString("base64url")]) {
      it(`refuses the cursor ${JSON.stringify(cursor)}`, async () => {
        await expectError("validation-failed", () => world.readUsers.list({ limit: 1, cursor }));
      });
    }
  });

  describe("ensureAdministrator", () => {
    const admin = { email: "admin@example.com", password: "an admin's own" };

    it("makes one administrator, who signs in, when two processes start at once", async () => {
      const made = await Promise.all([world.ensureAdministrator(admin), world.ensureAdministrator(admin)]);
      expect(made.filter(Boolean)).to.have.length(1);
      const { roles } = world.verify((await world.signIn(admin)).accessToken);
      expect(roles).to.include("admin");
    });

    it("makes none where there is one already", async () => {
      await world.ensureAdministrator(admin);
      expect(await world.ensureAdministrator({ ...admin, email: "second@example.com" })).to.equal(false);
      expect((await world.readUsers.list({ limit: 9 })).items).to.have.length(1);
    });

    it("starts although its administrator was deactivated, and leaves him so", async () => {
      await world.ensureAdministrator(alice);
      const [administrator] = (await world.readUsers.list({ limit: 9 })).items;
      if (administrator === undefined) throw new Error("no administrator");
      // None of the calls does so to the last one; a hand in the database can.
      const { id, statusChangedAtMs, epochRaisedAtMs } = administrator;
      const from = { status: "active", epoch: 0, statusChangedAtMs, epochRaisedAtMs } as const;
      await world.database.users.change(id, { from, to: { ...from, status: "deactivated", epoch: 1 } });
      expect(await world.ensureAdministrator(alice)).to.equal(false);
      expect((await world.readUsers.list({ limit: 9 })).items.map(({ status }) => status)).to.deep.equal([
        "deactivated",
      ]);
    });

    it("says so when the address belongs to somebody else", async () => {
      await world.createUser(alice);
      await expectError("config-invalid", () => world.ensureAdministrator(alice));
    });
  });

  describe("password hasher", () => {
    it("makes Argon2id hashes of the stated cost, each with its own salt", async () => {
      const hasher = createArgon2Hasher();
      const [one, two] = await Promise.all([hasher.hash(alice.password), hasher.hash(alice.password)]);
      expect(one).to.match(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$/);
      expect(one).not.to.equal(two);
      expect(await hasher.verify(one, alice.password)).to.equal(true);
      expect(await hasher.verify(one, "another")).to.equal(false);
    });

    it("makes nobody's hash as costly as anybody's", async () => {
      const hash = await hashOfNobody(createArgon2Hasher(), world.platform.randomness);
      expect(hash).to.match(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$/);
    });
  });
});
