import { AppError } from "../../shared/errors.ts";
import type { Clock } from "../../shared/ports/platform.ts";
import type { Session, SessionQuery, SessionStore } from "../../shared/ports/session-store.ts";
import type { UserStore } from "../../shared/ports/user-store.ts";
import { type IdleLifetime, sessionEndMs } from "./session-end.ts";

export interface ReadSessionsDeps extends IdleLifetime {
  readonly users: Pick<UserStore, "findById">;
  readonly sessions: Pick<SessionStore, "listSessions">;
  readonly clock: Clock;
}

export interface SessionListRequest {
  readonly userId: string;
  readonly limit: number;
  readonly cursor?: string | undefined;
}

export interface SessionPage {
  readonly items: readonly (Session & { readonly endsAtMs: number })[];
  /** Where to go on; null at the end. */
  readonly nextCursor: string | null;
}

/**
 * The sessions with which a user could go on now, the newest first: none of one who is not active, nor of an epoch that
 * was cut off. Throws `not-found` for an unknown and a deleted user, `validation-failed` for a cursor that no page gave.
 */
export function createReadSessions(deps: ReadSessionsDeps) {
  const { users, sessions, clock } = deps;

  return async function readSessions({ userId, limit, cursor }: SessionListRequest): Promise<SessionPage> {
    const after = cursor === undefined ? undefined : parseCursor(cursor);
    const user = await users.findById(userId);
    if (!user || user.status === "deleted") throw new AppError("not-found", "There is no user of this id.");
    if (user.status !== "active") return { items: [], nextCursor: null };
    const nowMs = clock.wallMs();
    const found = await sessions.listSessions({
      subject: userId,
      live: {
        fromEpoch: user.epoch,
        expiresAfterMs: nowMs,
        usedAfterMs: nowMs - deps.refreshIdleSeconds * 1_000,
      },
      limit: limit + 1,
      ...(after !== undefined && { after }),
    });
    const page = found.slice(0, limit);
    const last = page.at(-1);
    return {
      items: page.map((session) => ({ ...session, endsAtMs: sessionEndMs(session, deps) })),
      nextCursor: found.length > limit && last ? cursorAfter(last) : null,
    };
  };
}

export type ReadSessions = ReturnType<typeof createReadSessions>;

type Place = NonNullable<SessionQuery["after"]>;

function cursorAfter({ createdAtMs, sid }: Place): string {
  return Buffer.from(`${createdAtMs}.${sid}`).toString("base64url");
}

function parseCursor(cursor: string): Place {
  const [time = "", sid = ""] = Buffer.from(cursor, "base64url").toString("utf8").split(".");
  const place = { createdAtMs: Number(time), sid };
  if (/^\d{1,15}$/.test(time) && /^[0-9a-f-]{36}$/.test(sid) && cursorAfter(place) === cursor) return place;
  const detail = "must be the next_cursor of an earlier answer";
  throw new AppError("validation-failed", `cursor ${detail}.`, { errors: [{ pointer: "/cursor", detail }] });
}
