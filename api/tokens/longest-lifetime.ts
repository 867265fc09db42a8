import { longestOfAny } from "../../shared/revocation/longest.ts";

/** No token is accepted that says it lives longer, whatever lifetime an instance is set to. */
export const longestTokenLifetimeSeconds = longestOfAny.tokenLifetimeSeconds;
