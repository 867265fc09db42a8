import type { Mutation } from "../support/mutated-copy.ts";

/** What makes the promises true, taken out: chaos and load must notice. */
export const mutations: readonly Mutation[] = [
  {
    name: "reject-revoked taken out",
    file: "api/middleware/reject-revoked.ts",
    find: "throw new AppError(code, explanations[code]);",
    replace: "return;",
  },
  {
    name: "freshness taken out",
    file: "api/app.ts",
    find: "    createRequireFresh(deps.feed, deps.routePolicies),\n",
    replace: "",
  },
];
