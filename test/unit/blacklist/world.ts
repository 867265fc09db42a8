import { type CheckedClaims, createBlacklist } from "../../../api/blacklist/blacklist.ts";
import type { Addition } from "../../../shared/revocation/addition.ts";
import { createFingerprinter } from "../../../shared/revocation/fingerprint.ts";
import { packAdditions } from "../../../shared/revocation/packed-additions.ts";
import { createManualPlatform } from "../../support/manual-clock.ts";

export const ownIssuer = "https://quash.example";
export const otherIssuer = "https://other.example";
export const lifetimeSeconds = 900;
export const fingerprint = createFingerprinter(ownIssuer);

/** A UUID that shows its number. */
export const uuid = (number: number) => `00000000-0000-4000-8000-${String(number).padStart(12, "0")}`;

/** `hashKey`: what the tables' hash is made from, in place of chance. */
export function createWorld(hashKey?: Uint8Array) {
  const platform = createManualPlatform();
  const startSeconds = platform.clock.wallMs() / 1000;
  const blacklist = createBlacklist({
    ...platform,
    ...(hashKey === undefined ? {} : { randomness: { bytes: () => hashKey } }),
    fingerprint,
    ownIssuer,
    longestLifetimeMs: () => lifetimeSeconds * 1000,
  });
  return {
    platform,
    blacklist,
    startSeconds,
    apply: (...additions: Addition[]) => blacklist.apply(packAdditions(additions)),
    claims: (changes: Partial<CheckedClaims> = {}): CheckedClaims => ({
      iss: ownIssuer,
      sub: uuid(1),
      jti: uuid(2),
      iat: startSeconds,
      exp: startSeconds + lifetimeSeconds,
      epoch: 3,
      ...changes,
    }),
  };
}

export const tokenRevocation = (claims: CheckedClaims): Addition => ({
  kind: "token",
  token: fingerprint(claims.iss, claims.jti),
  exp: claims.exp,
});

export const unrecordedToken = (claims: CheckedClaims, until: number): Addition => ({
  kind: "unrecorded-token",
  token: fingerprint(claims.iss, claims.jti),
  until,
});

export const cutOff = (
  claims: Pick<CheckedClaims, "iss" | "sub">,
  rule: { readonly epoch?: number; readonly notBefore?: number; readonly until: number },
): Addition => ({
  kind: "cut-off",
  subject: fingerprint(claims.iss, claims.sub),
  epoch: 0,
  notBefore: 0,
  ...rule,
});
