import type { Violation } from "./finding.ts";
import { groupBy } from "./group-by.ts";
import type { History } from "./history.ts";

/** I6: at the end all instances say the same of each token, whatever it is. */
export function checkAgreement(history: History): readonly Violation[] {
  const last = history.probes.filter(({ sent }) => sent >= history.finalAt);
  return [...groupBy(last, ({ token }) => token)].flatMap(([token, probes]) => {
    const answers = probes.map(({ instance, status }) => `${instance}: ${status}`);
    const isSame = new Set(probes.map(({ status }) => status)).size === 1;
    const isWhole = probes.length === history.instances.length;
    return isSame && isWhole ? [] : [{ invariant: "I6" as const, detail: `${token}: ${answers.join(", ")}` }];
  });
}
