import { AppError } from "../../shared/errors.ts";
import type { Role } from "../../shared/ports/user-store.ts";
import { type Check, claimsOf } from "../request-state.ts";

/** One of these roles is enough. */
export function createRequireRole(...roles: readonly [Role, ...Role[]]): Check {
  return function requireRole(ctx) {
    requireOneOf(roles, claimsOf(ctx));
  };
}

/** An emitter may publish events, and nothing else. Throws `forbidden`. */
export function refuseMereEmitter({ roles }: { readonly roles: readonly string[] }): void {
  if (roles.length !== 1 || roles[0] !== "emitter") return;
  throw new AppError("forbidden", "The role emitter may only publish events.");
}

/** Throws `forbidden`. */
export function requireOneOf(roles: readonly Role[], claims: { readonly roles: readonly string[] }): void {
  if (roles.some((role) => claims.roles.includes(role))) return;
  throw new AppError("forbidden", `This needs the role ${roles.join(" or ")}.`);
}
