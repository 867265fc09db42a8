import type { CheckedClaims, RevocationCode } from "../../../api/blacklist/blacklist.ts";
import type { Addition } from "../../../shared/revocation/addition.ts";
import { generationOf, tokenBucketOf } from "../../../shared/revocation/retention.ts";
import { fingerprint, ownIssuer } from "./world.ts";

type CutOff = Extract<Addition, { kind: "cut-off" }>;

/** Says what the blacklist says with plain maps, from the rules alone; it forgets nothing. */
export function createPlainBlacklist() {
  const minutes = new Map<string, Set<number>>();
  const untils = new Map<string, number>();
  const cutOffs = new Map<string, CutOff[]>();

  const isCutOff = (claims: CheckedClaims, nowSeconds: number) =>
    (cutOffs.get(fingerprint(claims.iss, claims.sub)) ?? []).some(
      ({ until, epoch, notBefore }) =>
        until >= nowSeconds &&
        (claims.iss === ownIssuer ? (claims.epoch ?? 0) < epoch : notBefore > 0 && claims.iat <= notBefore),
    );

  const isNamed = (claims: CheckedClaims, nowSeconds: number) => {
    const token = fingerprint(claims.iss, claims.jti);
    const isRecorded = minutes.get(token)?.has(tokenBucketOf(claims.exp)) ?? false;
    return (isRecorded && claims.exp >= nowSeconds) || (untils.get(token) ?? -1) >= nowSeconds;
  };

  return {
    add(addition: Addition): void {
      if (addition.kind === "cut-off") {
        cutOffs.set(addition.subject, [...(cutOffs.get(addition.subject) ?? []), addition]);
      } else if (addition.kind === "token") {
        const known = minutes.get(addition.token) ?? new Set();
        minutes.set(addition.token, known.add(tokenBucketOf(addition.exp)));
      } else {
        untils.set(addition.token, Math.max(untils.get(addition.token) ?? -1, addition.until));
      }
    },

    /** Whether the answer is right at that time: what has expired may be forgotten by then, and need not be. */
    allows(answer: RevocationCode | null, claims: CheckedClaims, nowSeconds: number): boolean {
      if (answer === "user-deactivated") return isCutOff(claims, 0);
      if (isCutOff(claims, nowSeconds)) return false;
      return answer === null ? !isNamed(claims, nowSeconds) : isNamed(claims, 0);
    },

    /** Whether it is enforced for as long as the addition lives. */
    covers(addition: Addition): boolean {
      if (addition.kind === "token") {
        return minutes.get(addition.token)?.has(tokenBucketOf(addition.exp)) ?? false;
      }
      const generation = generationOf(addition.until);
      if (addition.kind === "unrecorded-token") {
        return generationOf(untils.get(addition.token) ?? -1) >= generation;
      }
      const living = (cutOffs.get(addition.subject) ?? []).filter(
        ({ until }) => generationOf(until) >= generation,
      );
      return (
        addition.epoch <= Math.max(0, ...living.map(({ epoch }) => epoch)) &&
        addition.notBefore <= Math.max(0, ...living.map(({ notBefore }) => notBefore))
      );
    },
  };
}
