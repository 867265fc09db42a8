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
  "/me/sessions",
  "/me/sessions/:id",
  "/users/:id/sessions",
  "/users/:id/sessions/:sid",
  "/tokens/:jti/revoke",
  "/revocations",
  "/revocations/:event_id",
  "/instances",
] as const;
