import { freshNamespace } from "../../support/services.ts";
import type { Benchmark } from "../benchmark.ts";
import { inProcessOfItsOwn } from "../side-process.ts";
import { removeNamespace } from "../sides/store.ts";

export const massRevocation: Benchmark = {
  name: "mass-revocation",
  about: "revoking many users at once in the store, ten live tokens each",
  async *contests(context) {
    const { redisUrl } = await context.services();
    const users = context.isShort ? 50 : 2_000;
    const tokensOfAUser = 10;
    for (const [side, name, atMost] of [
      ["cutOffs", "by cut-off, 400 a call", 1 / 100],
      ["tokens", "every token id, 400 a call", 1 / 30],
    ] as const) {
      const params = { redisUrl, namespace: freshNamespace(), users, tokensOfAUser };
      context.atEnd(() => removeNamespace(params));
      const sideOf = (shown: string, of: string) =>
        inProcessOfItsOwn(shown, { module: "mass-revocation", side: of, params });
      yield {
        bench: "mass-revocation",
        params: { users, tokens_of_a_user: tokensOfAUser },
        unit: "us",
        repetitions: context.isShort ? 1 : 5,
        ours: sideOf(name, side),
        baselines: [
          { ...sideOf("SET, one awaited command at a time", "oneByOne"), target: { of: "ratio", atMost } },
        ],
      };
    }
  },
};
