import { freshNamespace } from "../../support/services.ts";
import type { BenchContext, Benchmark } from "../benchmark.ts";
import type { Contest, Target } from "../contest.ts";
import { inProcessOfItsOwn } from "../side-process.ts";
import type { MassParams } from "../sides/mass-revocation.ts";
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
      yield massRevocationContest(context, { params, side, name, target: { of: "ratio", atMost } });
    }
  },
};

export function massRevocationContest(
  { isShort }: BenchContext,
  options: {
    readonly params: MassParams;
    readonly side: "cutOffs" | "tokens";
    readonly name: string;
    readonly target?: Target;
  },
): Contest {
  const { params, side, name, target } = options;
  const sideOf = (shown: string, of: string) =>
    inProcessOfItsOwn(shown, { module: "mass-revocation", side: of, params });
  return {
    bench: "mass-revocation",
    params: { users: params.users, tokens_of_a_user: params.tokensOfAUser },
    unit: "us",
    repetitions: isShort ? 1 : 5,
    ours: sideOf(name, side),
    baselines: [{ ...sideOf("SET, one awaited command at a time", "oneByOne"), ...(target && { target }) }],
  };
}
