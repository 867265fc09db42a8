import { AppError } from "../../shared/errors.ts";
import { refuseMereEmitter } from "../middleware/require-role.ts";
import type { AcceptToken } from "../tokens/accept-token.ts";
import type { Caller } from "./caller.ts";

/** RFC 7662 §2.2; of an inactive token nothing more is told. */
export type Introspection = Readonly<Record<string, unknown>> & { readonly active: boolean };

/**
 * Whether this instance would accept the token now, by the very checks of its protected routes. A refresh token is not
 * active: nobody may take one for an access token. Throws `replica-cold` or `replica-stale` where it cannot know.
 */
export function createIntrospectToken(acceptToken: AcceptToken) {
  return function introspectToken(token: string, caller: Caller): Introspection {
    refuseMereEmitter(caller);
    try {
      const claims = acceptToken(token);
      return { active: true, token_type: "Bearer", scope: claims.roles.join(" "), ...claims };
    } catch (error) {
      if (error instanceof AppError && error.rule.challenge === "invalid_token") return { active: false };
      throw error;
    }
  };
}

export type IntrospectToken = ReturnType<typeof createIntrospectToken>;
