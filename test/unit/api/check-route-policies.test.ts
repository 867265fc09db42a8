import { expect } from "chai";
import { describe, it } from "mocha";
import type { Middleware } from "../../../api/request-state.ts";
import { checkRoutePolicies } from "../../../api/routes/check-route-policies.ts";
import { createRoutes, type RouteDeps } from "../../../api/routes/index.ts";
import { protectedPatterns } from "../../../api/routes/protected-patterns.ts";
import { expectError } from "../../support/expect-error.ts";

describe("checkRoutePolicies", () => {
  it("takes every route that wants a token, and knows no other", () => {
    const found = routesBehind((_, next) => next());
    expect(found).to.have.property("size").above(5);
    expect(new Set<string>(protectedPatterns)).to.deep.equal(found);
    checkRoutePolicies(Object.fromEntries([...found].map((pattern) => [pattern, "best_effort"])));
  });

  it("names each pattern that is no such route, and those that are", async () => {
    const policies = { "/me": "strict", "/me/": "best_effort", "/livez": "best_effort" } as const;
    const { message } = await expectError("config-invalid", () => checkRoutePolicies(policies));
    const lines = message.split("\n");
    expect(lines.map((line) => /^- routePolicies names "(.*?)"/.exec(line)?.[1])).to.deep.equal([
      "/me/",
      "/livez",
    ]);
    expect(lines[0]).to.include("/me, /me/stream, /users,");
  });
});

/** The routes are only listed here, never called, so what they need stays away. */
function routesBehind(guard: Middleware): Set<string> {
  const nothing = new Proxy({} as RouteDeps, { get: () => undefined });
  const { stack } = createRoutes(
    { bearer: [guard], admin: [guard], operator: [guard], emitter: [guard] },
    nothing,
  );
  return new Set(
    stack.filter((layer) => layer.stack.some((each) => each === guard)).map(({ path }) => String(path)),
  );
}
