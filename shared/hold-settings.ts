import { integer, optional, type SettingsOf, text } from "./settings.ts";

export const holdSettings = {
  HOLD_ABOVE_USERS_PER_MINUTE: integer(
    { min: 0, max: 1_000 },
    {
      description:
        "how many users one source may deactivate or delete within a minute; more wait for a confirmation; 0 = off",
      default: 50,
    },
  ),
  HOLD_TRUSTED_SOURCES: optional(
    text("CloudEvents sources or administrators' ids, several separated by commas", {
      description: "whose mass deactivations are not held",
    }),
  ),
  HOLD_EXPIRES_SECONDS: integer(
    { min: 60, max: 30 * 86_400 },
    { description: "how long a held one waits before it becomes a dead letter", default: 86_400 },
  ),
} as const;

export type HoldSettings = SettingsOf<typeof holdSettings>;

/** Nothing is held. */
export const holdsOff: HoldSettings = {
  HOLD_ABOVE_USERS_PER_MINUTE: 0,
  HOLD_TRUSTED_SOURCES: undefined,
  HOLD_EXPIRES_SECONDS: 86_400,
};
