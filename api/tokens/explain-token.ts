import { AppError } from "../../shared/errors.ts";
import { keyRevocationIdOf } from "../../shared/events/event-id.ts";
import { keyNameOf } from "../../shared/events/key-name.ts";
import type { Ledger, LedgerRow } from "../../shared/ports/ledger.ts";
import type { Clock } from "../../shared/ports/platform.ts";
import type { SessionStore, TokenKey, TokenRecord } from "../../shared/ports/session-store.ts";
import type { User, UserStore } from "../../shared/ports/user-store.ts";
import type { Receipt } from "../../shared/receipts/receipt.ts";
import type { Blacklist, CheckedClaims } from "../blacklist/blacklist.ts";
import type { BlacklistFeed } from "../blacklist/blacklist-feed.ts";
import type { ReadReceipts } from "../receipts/read-receipts.ts";
import { type Verdict, verdictOf } from "./verdict.ts";
import type { KnownKeys } from "./verify-token.ts";

export interface ExplainDeps {
  readonly sessions: Pick<SessionStore, "findToken" | "findSession">;
  readonly users: Pick<UserStore, "findById">;
  readonly ledger: Pick<Ledger, "find" | "list">;
  readonly receipts: Pick<ReadReceipts, "get">;
  readonly blacklist: Pick<Blacklist, "isRevoked">;
  readonly feed: Pick<BlacklistFeed, "isAccepting" | "freshness" | "position">;
  readonly keys: KnownKeys;
  readonly clock: Pick<Clock, "wallMs">;
  readonly issuer: string;
  readonly clockToleranceSeconds: number;
}

export interface ExplainedToken {
  readonly verdict: Verdict;
  /** Null for a token that is not recorded. */
  readonly token: TokenRecord | null;
  readonly user: User | null;
  readonly session: { readonly sid: string; readonly endedAtMs: number | null } | null;
  /** What revokes it, also where it has not arrived here yet; null where nothing does. */
  readonly receipt: Receipt | null;
  /** Who asked for that. */
  readonly actor: string | null;
}

/** Of one user's events in the ledger: those of the time that tokens live. */
const rowsLookedAt = 100;

/**
 * Why this instance refuses or accepts a token now: what its blacklist says, and the event in the ledger that this comes
 * from. Throws `not-found` for a jti that neither a record nor an event names.
 */
export function createExplainToken(deps: ExplainDeps) {
  const { sessions, users, ledger, receipts } = deps;

  return async function explainToken(jti: string): Promise<ExplainedToken> {
    const token = await sessions.findToken(jti);
    const named = token === null ? ((await ledger.list({ jti, limit: 1 }))[0] ?? null) : null;
    if (token === null && named === null) {
      throw new AppError("not-found", "No token of this jti is recorded, and no event names it.");
    }
    const subject = token?.subject ?? named?.subject ?? null;
    const claims = token === null ? claimsOfRow(named, jti) : claimsOfRecord(token);
    const [user, session, row, keyRow] = await Promise.all([
      subject === null ? null : users.findById(subject),
      token === null ? null : sessions.findSession(token.sid),
      token === null ? named : findEvent(token),
      token?.key === undefined ? null : findKeyRevocation(token.key),
    ]);
    const verdict = verdictOf({ claims, key: token?.key }, deps);
    const ofToken = row?.eventId ?? token?.revokedBy ?? waitingEventOf(user, token);
    const isOfKey = verdict.rule === "signing-key" || ofToken === null;
    const eventId = isOfKey ? (keyRow?.eventId ?? null) : ofToken;
    const receipt = eventId === null ? null : await receiptOf(eventId);
    const actor = (isOfKey ? keyRow : row)?.actor ?? null;
    return { verdict, token, user, session, receipt, actor };
  };

  /** Null where the key was taken out, or its time is over, and nobody said that it is compromised. */
  async function findKeyRevocation({ thumbprint }: TokenKey): Promise<LedgerRow | null> {
    const row = await ledger.find(keyRevocationIdOf(thumbprint));
    return row?.jti === keyNameOf(thumbprint) ? row : null;
  }

  /** The one whose mark it bears, else the first that cut off its epoch. */
  async function findEvent({ revokedBy, subject, epoch }: TokenRecord): Promise<LedgerRow | null> {
    if (revokedBy !== null) return ledger.find(revokedBy);
    const rows = await ledger.list({ subject, limit: rowsLookedAt });
    return rows.findLast((row) => row.epoch !== null && row.epoch > epoch) ?? null;
  }

  async function receiptOf(eventId: string): Promise<Receipt | null> {
    try {
      return await receipts.get(eventId);
    } catch (error) {
      if (error instanceof AppError && error.code === "not-found") return null;
      throw error;
    }
  }

  function claimsOfRecord({ jti, subject, epoch, issuedAtMs, expiresAtMs }: TokenRecord): CheckedClaims {
    const [iat, exp] = [Math.floor(issuedAtMs / 1_000), Math.floor(expiresAtMs / 1_000)];
    return { iss: deps.issuer, sub: subject, jti, iat, exp, epoch };
  }

  /** Of a token that is not recorded only its id is known, which no cut-off can hit. */
  function claimsOfRow(row: LedgerRow | null, jti: string): CheckedClaims {
    const exp = Math.floor((row?.untilMs ?? deps.clock.wallMs() + 1_000) / 1_000);
    return { iss: deps.issuer, sub: "", jti, iat: 0, exp, epoch: Number.MAX_SAFE_INTEGER };
  }
}

export type ExplainToken = ReturnType<typeof createExplainToken>;

/** A deactivation that has changed the user and has not reached the ledger. */
function waitingEventOf(user: User | null, token: TokenRecord | null): string | null {
  if (user === null || token === null || user.epoch <= token.epoch) return null;
  return user.lastDeactivation?.eventId ?? null;
}
