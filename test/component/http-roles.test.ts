import { expect } from "chai";
import { after, before, describe, it } from "mocha";
import type { Role } from "../../shared/ports/user-store.ts";
import { expectProblem } from "../support/expect-problem.ts";
import { type ApiWorld, createApiWorld, type TestApi } from "../support/test-api.ts";

const password = "long enough";
const nobody = "00000000-0000-4000-8000-000000000000";
const reads = [
  "/users",
  `/users/${nobody}`,
  "/revocations",
  `/revocations/${nobody}`,
  "/instances",
  `/users/${nobody}/sessions`,
];
const revokes = [`/users/${nobody}/deactivate`, `/users/${nobody}/sign-out`, `/tokens/${nobody}/revoke`];
const changes: readonly [method: string, path: string][] = [
  ["POST", "/users"],
  ["POST", `/users/${nobody}/reactivate`],
  ["DELETE", `/users/${nobody}`],
];

describe("roles", () => {
  let world: ApiWorld;
  let api: TestApi;
  const tokens = new Map<Role, string>();

  before(async () => {
    world = await createApiWorld();
    await world.startWorker();
    api = await world.startApi();
    const administrator = await api.signIn();
    for (const role of ["user", "operator", "emitter"] as const) {
      const email = `${role}@example.com`;
      await api.createUser(administrator, { email, password, roles: [role] });
      tokens.set(role, await api.signIn(email, password));
    }
  });
  after(() => world.close());

  const tokenOf = (role: Role) => tokens.get(role) ?? "";

  for (const path of reads) {
    it(`an operator may read ${path}; a user and an emitter may not`, async () => {
      expect((await api.call(path, { token: tokenOf("operator") })).status).to.be.oneOf([200, 404]);
      for (const role of ["user", "emitter"] as const)
        expectProblem(await api.call(path, { token: tokenOf(role) }), "forbidden");
    });
  }

  for (const path of revokes) {
    it(`an operator may ask for ${path}; a user and an emitter may not`, async () => {
      const ask = (role: Role) => api.call(path, { method: "POST", token: tokenOf(role) });
      expectProblem(await ask("operator"), "not-found");
      for (const role of ["user", "emitter"] as const) expectProblem(await ask(role), "forbidden");
    });
  }

  for (const [method, path] of changes) {
    it(`nobody but an administrator may ask for ${method} ${path}`, async () => {
      for (const token of tokens.values())
        expectProblem(await api.call(path, { method, token, body: {} }), "forbidden");
    });
  }

  it("an emitter has no calls of his own, and may sign out", async () => {
    const token = tokenOf("emitter");
    expectProblem(await api.call("/me", { token }), "forbidden");
    expectProblem(await api.call("/me/stream", { token }), "forbidden");
    expect((await api.call("/auth/logout", { method: "POST", token })).status).to.equal(204);
  });
});
