import { AppError } from "../../shared/errors.ts";
import type { Role } from "../../shared/ports/user-store.ts";
import { type Check, claimsOf } from "../request-state.ts";

export function createRequireRole(role: Role): Check {
  return function requireRole(ctx) {
    if (!claimsOf(ctx).roles.includes(role)) {
      throw new AppError("forbidden", `This needs the role ${role}.`);
    }
  };
}
