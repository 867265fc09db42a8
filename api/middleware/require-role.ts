import { AppError } from "../../shared/errors.ts";
import type { Role } from "../../shared/ports/user-store.ts";
import { claimsOf, type Middleware } from "../request-state.ts";

export function createRequireRole(role: Role): Middleware {
  return async function requireRole(ctx, next) {
    if (!claimsOf(ctx).roles.includes(role)) {
      throw new AppError("forbidden", `This needs the role ${role}.`);
    }
    await next();
  };
}
