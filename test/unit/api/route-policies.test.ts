import { expect } from "chai";
import { describe, it } from "mocha";
import type { Middleware } from "../../../api/request-state.ts";
import { protectedPatterns } from "../../../api/routes/protected-patterns.ts";
import { routePoliciesNameRoutes, routePolicyList } from "../../../api/routes/route-policies.ts";
import { listRoutes } from "../../support/list-routes.ts";

describe("the policies of routes", () => {
  const parse = (given: string) => routePolicyList("").parse(given);

  it("take every route that wants a token, and know no other", () => {
    const found = routesBehind((_, next) => next());
    expect(found).to.have.property("size").above(5);
    expect(new Set<string>(protectedPatterns)).to.deep.equal(found);
    const ROUTE_POLICIES = parse([...found].map((pattern) => `${pattern}=best_effort`).join(","));
    expect(Object.keys(ROUTE_POLICIES)).to.have.length(found.size);
    expect(routePoliciesNameRoutes({ ROUTE_POLICIES })).to.equal(null);
  });

  it("name each pattern that is no such route, and those that are", () => {
    const ROUTE_POLICIES = parse("/me=strict, /me/=best_effort,/livez=best_effort");
    expect(routePoliciesNameRoutes({ ROUTE_POLICIES }))
      .to.match(/^ROUTE_POLICIES names \/me\/, \/livez: /)
      .and.include("/me, /me/stream, /users,");
  });

  for (const given of [
    "/me",
    "/me=",
    "/me=lenient",
    "me=strict",
    "/me=strict=strict",
    "/me=strict,",
    "/me=strict,/me=best_effort",
  ]) {
    it(`do not take ${given}`, () => {
      expect(() => parse(given)).to.throw(TypeError);
    });
  }
});

function routesBehind(guard: Middleware): Set<string> {
  const { stack } = listRoutes({ bearer: [guard], admin: [guard], operator: [guard], emitter: [guard] });
  return new Set(
    stack.filter((layer) => layer.stack.some((each) => each === guard)).map(({ path }) => String(path)),
  );
}
