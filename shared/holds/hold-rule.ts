import type { HoldSettings } from "../hold-settings.ts";
import type { Clock } from "../ports/platform.ts";
import type { Safeguards } from "../ports/safeguards.ts";

/** Whom a mass deactivation comes from: a CloudEvents source, or an administrator of this API. */
export type Source =
  | { readonly kind: "source"; readonly source: string }
  | { readonly kind: "administrator"; readonly id: string };

export interface HoldRuleDeps {
  readonly safeguards: Pick<Safeguards, "countUsers">;
  readonly clock: Pick<Clock, "wallMs">;
  readonly settings: HoldSettings;
}

/** What a removal of a user from service comes to. */
export interface HoldRule {
  /**
   * Until when it waits for a confirmation; null where it goes its way at once. `user` tells users apart. Rejects while
   * nobody can count: then nothing is to be changed.
   */
  heldUntilMs(source: Source, user: string): Promise<number | null>;
  /** False: nobody is ever asked. */
  appliesTo(source: Source): boolean;
}

export function createHoldRule({ safeguards, clock, settings }: HoldRuleDeps): HoldRule {
  const most = settings.HOLD_ABOVE_USERS_PER_MINUTE;
  const expiresMs = settings.HOLD_EXPIRES_SECONDS * 1_000;
  const trusted = new Set((settings.HOLD_TRUSTED_SOURCES ?? "").split(",").map((name) => name.trim()));

  const appliesTo = (source: Source) =>
    most > 0 && !trusted.has(source.kind === "source" ? source.source : source.id);

  return {
    appliesTo,
    async heldUntilMs(source, user) {
      if (!appliesTo(source)) return null;
      const name = source.kind === "source" ? `source ${source.source}` : `administrator ${source.id}`;
      const [isWithin] = await safeguards.countUsers({ source: name, users: [user], most });
      return isWithin === true ? null : clock.wallMs() + expiresMs;
    },
  };
}

/** What takes a user out of service; a sign-out leaves him in it. */
export function takesOutOfService(type: string): type is "user.deactivated" | "user.deleted" {
  return type === "user.deactivated" || type === "user.deleted";
}
