import { expect } from "chai";
import { describe, it } from "mocha";
import type { Middleware } from "../../../api/request-state.ts";
import { addAnswerOnce } from "../../../api/routes/add-answer-once.ts";
import type { Guards } from "../../../api/routes/router.ts";
import { listRoutes } from "../../support/list-routes.ts";

describe("idempotency keys", () => {
  const [requireToken, requireRole, answerOnce]: readonly Middleware[] = [1, 2, 3].map(
    () => (_ctx, next) => next(),
  );
  if (!requireToken || !requireRole || !answerOnce) throw new TypeError("three of them");
  const guards: Guards = {
    bearer: [requireToken],
    admin: [requireToken, requireRole],
    operator: [requireToken, requireRole],
    emitter: [requireToken, requireRole],
  };
  const router = listRoutes(guards);
  addAnswerOnce(router, guards, answerOnce);
  const routes = router.stack.map(({ methods, path, stack }) => ({
    name: `${methods.join(",")} ${String(path)}`,
    isChanging: !methods.includes("GET"),
    at: stack.indexOf(answerOnce),
    isGuarded: stack.includes(requireToken),
    stack,
  }));

  it("are taken, after every guard and before the handler, by what changes something for a bearer", () => {
    const takers = routes.filter(({ at }) => at >= 0);
    expect(takers.map(({ name }) => name)).to.include.members([
      "POST /auth/logout",
      "POST /users",
      "DELETE /users/:id",
      "POST /tokens/:jti/revoke",
    ]);
    for (const { name, at, stack } of takers) expect(at, name).to.equal(stack.length - 2);
  });

  it("are left alone by the other calls: they take no step more", () => {
    for (const { name, isChanging, isGuarded, at } of routes) {
      expect(at >= 0, name).to.equal(isChanging && isGuarded);
    }
  });
});
