import { freshNamespace } from "../../support/services.ts";
import type { BenchContext, Benchmark } from "../benchmark.ts";
import type { Contest, Target } from "../contest.ts";
import { inProcessOfItsOwn } from "../side-process.ts";
import type { MassParams } from "../sides/mass-revocation.ts";
import { removeNamespace, type StorePlace } from "../sides/store.ts";

export const massRevocation: Benchmark = {
  name: "mass-revocation",
  about: "revoking many users at once in the store, ten live tokens each",
  async *contests(context) {
    const { redisUrl } = await context.services();
    for (const [side, atMost] of [
      ["cutOffs", 1 / 100],
      ["tokens", 1 / 30],
    ] as const) {
      const place = { redisUrl, namespace: freshNamespace() };
      context.atEnd(() => removeNamespace(place));
      yield massRevocationContest(context, { place, side, target: { of: "ratio", atMost } });
    }
  },
};

const tokensOfAUser = 10;
/** So many that one repetition takes long enough to be timed. */
const sidesOfOurs = {
  cutOffs: { name: "by cut-off, 1,000 a call", users: 20_000 },
  tokens: { name: "every token id, 1,000 a call", users: 5_000 },
} as const;
/** Each takes the alternative a hundred times as long. */
const usersOneByOne = 1_000;

export function massRevocationContest(
  { isShort }: BenchContext,
  options: {
    readonly place: StorePlace;
    readonly side: keyof typeof sidesOfOurs;
    readonly target?: Target;
  },
): Contest {
  const { place, side, target } = options;
  const { name, users } = sidesOfOurs[side];
  const sideOf = (shown: string, of: string, many: number) => {
    const params: MassParams = { ...place, users: isShort ? 50 : many, tokensOfAUser };
    return inProcessOfItsOwn(shown, { module: "mass-revocation", side: of, params });
  };
  const oneByOne = sideOf("SET, one awaited command at a time", "oneByOne", usersOneByOne);
  return {
    bench: "mass-revocation",
    params: { users: isShort ? 50 : users, tokens_of_a_user: tokensOfAUser },
    unit: "us",
    repetitions: isShort ? 1 : 5,
    ours: sideOf(name, side, users),
    baselines: [{ ...oneByOne, ...(target && { target }) }],
  };
}
