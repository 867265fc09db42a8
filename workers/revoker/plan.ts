import type { ExternalIdentity } from "../../shared/events/event.ts";
import type { LedgerRow, TokenSelection } from "../../shared/ports/ledger.ts";
import type { Addition, CutOff, TokenRevocation } from "../../shared/revocation/addition.ts";
import type { Fingerprint, Fingerprinter } from "../../shared/revocation/fingerprint.ts";

/** Names tokens and subjects as the store and the instances do. */
export interface Names {
  readonly fingerprint: Fingerprinter;
  readonly ownIssuer: string;
}

/** The rules that a revocation writes to the store, apart from the recorded tokens that bear its mark. */
export interface Rules {
  readonly subject: string | null;
  readonly external: ExternalIdentity | null;
  readonly jti: string | null;
  readonly epoch: number | null;
  readonly notBefore: number | null;
  readonly unrecorded: boolean;
}

/** What one event comes to, once it is decided. */
export interface Plan extends Rules {
  /** The recorded tokens that the event means. */
  readonly marks: readonly Selection[];
  /** Whether those of them that bear no mark get the event's; otherwise only what is marked is written. */
  readonly marksMore: boolean;
  /** A recorded token that the event names, whichever event marked it first. */
  readonly namedToken: TokenRevocation | null;
}

export type Selection = TokenSelection extends infer S
  ? S extends TokenSelection
    ? Omit<S, "nowMs">
    : never
  : never;

export function additionsOf(rules: Rules, untilSeconds: number, names: Names): Addition[] {
  const additions: Addition[] = [];
  if (rules.unrecorded && rules.jti !== null) {
    const token = names.fingerprint(rules.external?.iss ?? names.ownIssuer, rules.jti);
    additions.push({ kind: "unrecorded-token", token, until: untilSeconds });
  }
  const cutOff = cutOffOf(rules, untilSeconds, names);
  if (cutOff !== null) additions.push(cutOff);
  return additions;
}

function cutOffOf(rules: Rules, untilSeconds: number, names: Names): CutOff | null {
  const subject = subjectOf(rules, names);
  if (subject === null || (rules.epoch === null && rules.notBefore === null)) return null;
  return {
    kind: "cut-off",
    subject,
    epoch: rules.epoch ?? 0,
    notBefore: rules.notBefore ?? 0,
    until: untilSeconds,
  };
}

function subjectOf({ subject, external }: Rules, names: Names): Fingerprint | null {
  if (subject !== null) return names.fingerprint(names.ownIssuer, subject);
  return external === null ? null : names.fingerprint(external.iss, external.sub);
}

/** The rules that a row stands for. A pending one of ours knows its cut-off already; one session's cuts off nothing. */
export function rulesOfRow(row: LedgerRow): Rules {
  const cutsOff = row.type !== "token.revoked" && row.sid === null;
  return {
    subject: row.subject,
    external: row.external,
    jti: row.jti,
    epoch: cutsOff ? row.epoch : null,
    notBefore: cutsOff ? row.notBefore : null,
    unrecorded: row.unrecorded,
  };
}

/** Writes again what was decided before: nobody is changed, and no more tokens are marked. */
export function planOfRow(row: LedgerRow): Plan {
  return { ...rulesOfRow(row), marks: selectionsOfRow(row), marksMore: false, namedToken: null };
}

/** But for those by epoch. Whether an upstream change came late is not in its row: as if it had. */
function selectionsOfRow(row: LedgerRow): Selection[] {
  const { jti, sid, subject, effectiveAtMs: issuedAtOrBeforeMs } = row;
  const selections: Selection[] = [];
  if (sid !== null) selections.push({ by: "session", sid });
  if (jti !== null && !row.unrecorded) selections.push({ by: "jti", jti });
  const isUpstream = row.eventId !== row.sourceEventId;
  if (isUpstream && row.type !== "token.revoked" && subject !== null) {
    selections.push({ by: "issued-at", subject, issuedAtOrBeforeMs });
  }
  return selections;
}
