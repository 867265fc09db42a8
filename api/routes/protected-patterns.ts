/** The routes that want a token: those that can have a staleness policy of their own. */
export const protectedPatterns = [
  "/auth/logout",
  "/me",
  "/me/stream",
  "/users",
  "/users/:id",
  "/users/:id/deactivate",
  "/users/:id/sign-out",
  "/users/:id/reactivate",
  "/tokens/:jti/revoke",
  "/tokens/:jti/explain",
  "/revocations",
  "/revocations/:event_id",
  "/revocations/:event_id/confirm",
  "/events",
  "/instances",
  "/audit",
] as const;
