import { AppError } from "../../shared/errors.ts";
import type { Role } from "../../shared/ports/user-store.ts";
import { type Check, claimsOf } from "../request-state.ts";

/** One of them is enough. */
export function createRequireRole(...roles: readonly Role[]): Check {
  return function requireRole(ctx) {
    const held = claimsOf(ctx).roles;
    if (!roles.some((role) => held.includes(role))) {
      throw new AppError("forbidden", `This needs the role ${roles.join(" or ")}.`);
    }
  };
}
