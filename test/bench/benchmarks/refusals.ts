import type { Benchmark } from "../benchmark.ts";
import { inProcessOfItsOwn } from "../side-process.ts";
import { refusals as kinds } from "../sides/refusal-tokens.ts";
import type { RefusalParams } from "../sides/refusals.ts";

/** Nobody can make the API work harder with bad tokens than with good ones. */
export const refusals: Benchmark = {
  name: "refusals",
  about:
    "processor time of a request that is refused for its token, against one that is accepted, each verified anew",
  async *contests({ isShort }) {
    const names = Object.keys(kinds);
    for (const refusal of isShort ? names.slice(-2) : names) {
      const params: RefusalParams = { refusal, count: isShort ? 10 : 300 };
      const side = (name: string, of: string) =>
        inProcessOfItsOwn(name, { module: "refusals", side: of, params });
      yield {
        bench: "refusals",
        params: { refusal },
        unit: "us",
        repetitions: isShort ? 1 : 9,
        ours: side("refused", "refusing"),
        baselines: [{ ...side("accepted", "accepting"), target: { of: "ratio", atMost: 2 } }],
      };
    }
  },
};
