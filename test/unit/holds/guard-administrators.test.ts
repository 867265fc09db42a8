import { expect } from "chai";
import { beforeEach, describe, it } from "mocha";
import { createGuardAdministrators } from "../../../shared/holds/guard-administrators.ts";
import { createInProcessDatabaseServer } from "../../../shared/in-process/database.ts";
import type { Database } from "../../../shared/ports/database.ts";
import type { Role, User } from "../../../shared/ports/user-store.ts";
import { changeOfOurs } from "../../../shared/revocation/user-state.ts";
import { expectError } from "../../support/expect-error.ts";
import { createManualPlatform, type ManualPlatform } from "../../support/manual-clock.ts";

describe("the guard of administrators", () => {
  let platform: ManualPlatform;
  let database: Database;
  let guard: ReturnType<typeof createGuardAdministrators>;

  beforeEach(() => {
    platform = createManualPlatform();
    database = createInProcessDatabaseServer(platform).connect();
    guard = createGuardAdministrators({ ...platform, ...database });
  });

  const add = (roles: readonly Role[] = ["admin"]): Promise<User> => {
    const id = platform.ids.uuid();
    const email = `${id}@example.com`;
    const createdAtMs = platform.clock.wallMs();
    return database.users.create({ id, email, passwordHash: "", roles, externalIds: [], createdAtMs });
  };
  /** `pause` runs between the look and the change. */
  const remove = (user: User, pause: () => Promise<void> = () => Promise.resolve()) =>
    guard(user, async (condition) => {
      await pause();
      const to = changeOfOurs(user, "user.deactivated", platform.clock.wallMs());
      return to && database.users.change(user.id, { from: user, to, ...condition });
    });
  const countActive = async () => (await database.users.list({ limit: 9, status: "active" })).length;

  it("keeps the last one", async () => {
    const [one, other] = [await add(), await add()];
    await add(["user"]);
    expect(await remove(one)).to.include({ status: "deactivated" });

    await expectError("last-administrator", () => remove(other));
    expect(await countActive()).to.equal(2);
  });

  it("asks nothing for somebody else, or for one who is out of service", async () => {
    const user = await add(["user"]);
    expect(await remove(user)).to.include({ status: "deactivated" });
    expect(await database.safeguards.readRemoval()).to.equal(null);
  });

  it("lets one of two go that are removed at the same time", async () => {
    const both = [await add(), await add()];
    const removed = await Promise.allSettled(both.map((user) => remove(user)));

    expect(removed.filter(({ status }) => status === "fulfilled")).to.have.lengthOf(1);
    expect(await countActive()).to.equal(1);
  });

  it("lets nobody else begin meanwhile, and the next one afterwards", async () => {
    const [one, other] = [await add(), await add(), await add()];
    await remove(one, async () => {
      await expectError("administrator-busy", () => remove(other));
    });

    expect(await remove(other)).to.include({ status: "deactivated" });
  });

  it("takes over from one that was broken off, who changes nobody then", async () => {
    const [one, other] = [await add(), await add()];
    const paused = await remove(one, async () => {
      await platform.advance(10_000);
      expect(await remove(other)).to.include({ status: "deactivated" });
    });

    expect(paused).to.equal(null);
    expect(await countActive()).to.equal(1);
  });

  it("keeps one however wrong the clocks of two processes are", async () => {
    const [one, other] = [await add(), await add()];
    await remove(one, async () => {
      platform.stepWall(-3_600_000);
      await remove(other);
    });

    expect(await countActive()).to.equal(1);
  });

  it("goes on at once after one that died behind the change", async () => {
    const [one, other] = [await add(), await add(), await add()];
    const removal = { claim: "c", userId: one.id, beganAtMs: platform.clock.wallMs() };
    await remove(one);
    await database.safeguards.beginRemoval(removal, null);

    expect(await remove(other)).to.include({ status: "deactivated" });
  });

  it("ends its removal also when it refuses", async () => {
    await expectError("last-administrator", async () => remove(await add()));
    expect(await database.safeguards.readRemoval()).to.equal(null);
  });
});
