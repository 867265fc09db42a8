import type { RevocationStore } from "../ports/revocation-store.ts";
import type { Longest, Lowering } from "../revocation/longest.ts";
import type { Argument, RedisConnection } from "./connection.ts";
import { fixedKeysOf, type StoreKeys } from "./keys.ts";
import { numberIn } from "./replies.ts";
import { confirmLongestScript, lowerLongestScript, wantLongestScript } from "./scripts/longest.ts";
import type { Script } from "./scripts/script.ts";
import { storeInvalid } from "./store-invalid.ts";

type StoreLongest = Pick<RevocationStore, "wantLongest" | "confirmLongest" | "lowerLongest">;

export function createStoreLongest(connection: RedisConnection, keys: StoreKeys): StoreLongest {
  const isDone = async (script: Script, of: readonly string[], args: readonly Argument[]) =>
    numberIn(await connection.run(script, of, args)) === 1;

  return {
    async wantLongest(longest) {
      if (!(await isDone(wantLongestScript, [keys.state], partsOf(longest)))) throw storeInvalid();
    },
    async confirmLongest(longest) {
      const args = [...partsOf(longest), longest.version];
      if (!(await isDone(confirmLongestScript, [keys.state], args))) throw storeInvalid();
    },
    lowerLongest: (lowering) => isDone(lowerLongestScript, fixedKeysOf(keys), loweringArgs(lowering)),
  };
}

const partsOf = ({ tokenLifetimeSeconds, maxStalenessMs }: Longest) => [tokenLifetimeSeconds, maxStalenessMs];

function loweringArgs({ incarnation, from, to, wanted }: Lowering): Argument[] {
  const seen = wanted.flatMap((one) => [...partsOf(one), one.times]);
  return [incarnation, ...partsOf(from), ...partsOf(to), to.version, ...seen];
}
