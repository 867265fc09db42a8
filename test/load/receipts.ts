/** Throws for one that waits for a confirmation: nothing would ever come of it. */
export function requireNotHeld({ status }: Readonly<Record<string, unknown>>): void {
  if (status !== "held") return;
  throw new Error(
    "a deactivation is held, since one source deactivates more users within a minute than it may: " +
      "start the system's API and workers with HOLD_ABOVE_USERS_PER_MINUTE=0",
  );
}
