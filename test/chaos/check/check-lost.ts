import { timeText, type Violation } from "./finding.ts";
import type { History, Revoke } from "./history.ts";

/** I2: what was accepted ends as an applied revocation, or as a dead letter that names it. */
export function checkLost(history: History): readonly Violation[] {
  const texts = history.deadLetters.map(({ text }) => text);
  const isDeadLetter = (id: string) => texts.some((text) => text.includes(id));
  const lostRevokes = history.revokes
    .filter((revoke) => revoke.outcome === "accepted" && history.appliedOf(revoke) === undefined)
    .filter((revoke) => !isDeadLetter(idOf(revoke)))
    .map((revoke) => `${revoke.way} ${idOf(revoke)} of ${revoke.user}, accepted at ${timeText(revoke.done)}`);
  const lostPoisons = history.poisons
    .filter(({ outcome, marker }) => outcome === "accepted" && !isDeadLetter(marker))
    .map(({ marker, done }) => `poisoned event ${marker}, accepted at ${timeText(done)}`);
  return [...lostRevokes, ...lostPoisons].map((what) => ({
    invariant: "I2",
    detail: `${what}, was neither applied nor became a dead letter`,
  }));
}

function idOf(revoke: Revoke): string {
  return revoke.event ?? revoke.source_event ?? `logout of ${revoke.user}`;
}
