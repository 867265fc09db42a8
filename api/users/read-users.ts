import { AppError } from "../../shared/errors.ts";
import type { User, UserStore } from "../../shared/ports/user-store.ts";
import { normaliseEmail } from "./email.ts";

export interface ReadUsersDeps {
  readonly users: Pick<UserStore, "findById" | "list">;
}

export interface ListRequest {
  readonly limit: number;
  readonly cursor?: string | undefined;
  readonly status?: "active" | "deactivated" | undefined;
  readonly email?: string | undefined;
}

export interface UserPage {
  readonly items: readonly User[];
  /** Where to go on; null at the end. */
  readonly nextCursor: string | null;
}

export function createReadUsers({ users }: ReadUsersDeps) {
  return {
    /** Throws `not-found`, for a deleted user too. */
    async find(userId: string): Promise<User> {
      const user = await users.findById(userId);
      if (!user || user.status === "deleted") throw new AppError("not-found", "There is no user of this id.");
      return user;
    },

    /** Ordered by id. Throws `validation-failed` for a cursor that no page has given. */
    async list({ limit, cursor, status, email }: ListRequest): Promise<UserPage> {
      const found = await users.list({
        limit: limit + 1,
        ...(cursor !== undefined && { after: parseCursor(cursor) }),
        ...(status !== undefined && { status }),
        ...(email !== undefined && { email: normaliseEmail(email) }),
      });
      const items = found.slice(0, limit);
      const last = items.at(-1);
      return { items, nextCursor: found.length > limit && last ? cursorAfter(last.id) : null };
    },
  };
}

export type ReadUsers = ReturnType<typeof createReadUsers>;

function cursorAfter(id: string): string {
  return Buffer.from(id, "utf8").toString("base64url");
}

function parseCursor(cursor: string): string {
  const id = Buffer.from(cursor, "base64url").toString("utf8");
  if (/^[0-9a-f-]{36}$/.test(id) && cursorAfter(id) === cursor) return id;
  const detail = "must be the next_cursor of an earlier answer";
  throw new AppError("validation-failed", `cursor ${detail}.`, { errors: [{ pointer: "/cursor", detail }] });
}
