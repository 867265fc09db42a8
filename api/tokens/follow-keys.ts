import type { Audit } from "../../shared/audit/audit.ts";
import { keyNameOf } from "../../shared/events/key-name.ts";
import type { Log } from "../../shared/log.ts";
import type { Metrics } from "../../shared/metrics.ts";
import type { Blacklist } from "../blacklist/blacklist.ts";
import type { OpenConnections } from "../blacklist/connections.ts";
import type { KeyUpdates } from "../keys/key-watch.ts";
import type { KeyChange, KeyRing } from "./key-ring.ts";
import type { VerifyOnce } from "./verify-once.ts";

export interface FollowKeysDeps {
  readonly ring: KeyRing;
  /** Undefined where the keys come from no file. */
  readonly updates: KeyUpdates | undefined;
  readonly blacklist: Pick<Blacklist, "isRevoked" | "onApplied">;
  readonly issuer: string;
  readonly tokens: Pick<VerifyOnce, "forgetAll">;
  readonly connections: Pick<OpenConnections, "closeForNewKeys">;
  readonly metrics: Pick<Metrics, "keyFilesRefused">;
  readonly audit: Audit;
  readonly log: Log;
  readonly onChange: () => void;
}

/**
 * Brings the keys of an instance up to the file, and to what the blacklist says about them: the revocation of a key
 * comes as the one of a token that nobody recorded, before this instance enforces its position. Ends with `close`.
 */
export function followKeys(deps: FollowKeysDeps): { close(): void } {
  const { ring, updates, blacklist, issuer, tokens, connections, metrics, audit, log } = deps;

  function isRevoked(thumbprint: string): boolean {
    const name = { iss: issuer, sub: "", jti: keyNameOf(thumbprint), iat: 0, exp: 0 };
    // A cut-off says nothing about it.
    return blacklist.isRevoked({ ...name, epoch: Number.MAX_SAFE_INTEGER }) === "token-revoked";
  }

  function refuseRevoked(): void {
    for (const { thumbprint } of ring.listed) {
      if (isRevoked(thumbprint)) note(ring.refuse(thumbprint), "event");
    }
  }

  function note(change: KeyChange | null, by: "file" | "event"): void {
    if (change === null) return;
    // In the same step as the change: no token of a key that is gone is taken for verified.
    tokens.forgetAll();
    if (change.removed.length + change.compromised.length > 0) connections.closeForNewKeys();
    for (const action of ["added", "retired", "compromised"] as const) {
      for (const kid of change[action])
        audit.record({ action: `key.${action}`, object: kid, reason: `by ${by}` });
    }
    log.info("keys.changed", { ...change, by });
    if (change.compromised.length > 0) log.warn("keys.compromised", { kids: change.compromised, by });
    if (change.signing === null) {
      const advice = "put a key that is neither retired nor compromised into SIGNING_KEYS_FILE";
      log.error("keys.none-signs", { advice });
    }
    deps.onChange();
  }

  const stopListening = [
    blacklist.onApplied(({ unrecordedTokens }) => {
      if (unrecordedTokens.length > 0) refuseRevoked();
    }),
    updates?.subscribe({
      onKeys(keys) {
        note(ring.replace(keys), "file");
        refuseRevoked();
      },
      onRefused: () => metrics.keyFilesRefused.inc(),
    }),
  ];
  return {
    close() {
      for (const stop of stopListening) stop?.();
    },
  };
}
