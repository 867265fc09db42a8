interface ErrorRule {
  /** HTTP status of the answer. */
  readonly status: number;
  readonly title: string;
  /** Whether the same call may succeed later without being changed. On Kafka: retried, never dead-lettered. */
  readonly retriable: boolean;
  /** Whether `detail` was written for the caller; otherwise only the title is shown. */
  readonly expose: boolean;
  /** RFC 6750 §3.1: only where a token was sent. */
  readonly challenge?: "invalid_token" | "insufficient_scope";
}

const refusedToken = (title: string): ErrorRule => ({
  status: 401,
  title,
  retriable: false,
  expose: true,
  challenge: "invalid_token",
});
const refusedCall = (status: number, title: string): ErrorRule => ({
  status,
  title,
  retriable: false,
  expose: true,
});
const unavailable = (title: string): ErrorRule => ({ status: 503, title, retriable: true, expose: true });

/** Every error that Quash raises on purpose: its code is the slug of its problem page. */
export const errorTable = {
  "token-missing": refusedCall(401, "No access token was sent"),
  "auth-scheme-unsupported": refusedCall(401, "The Authorization scheme is not Bearer"),
  "auth-ambiguous": refusedCall(400, "More than one credential was sent"),
  "auth-malformed": refusedCall(400, "The Authorization header is malformed"),
  "token-too-large": refusedToken("The access token is too large"),
  "token-malformed": refusedToken("The access token is not a well-formed JWT"),
  "algorithm-rejected": refusedToken("The token's algorithm is not accepted"),
  "header-rejected": refusedToken("The token's header carries a parameter that is not accepted"),
  "key-unknown": refusedToken("The token names a key that is not known"),
  "token-type-rejected": refusedToken("The token is not an access token"),
  "signature-invalid": refusedToken("The token's signature does not verify"),
  "claims-invalid": refusedToken("The token's claims are missing or malformed"),
  "issuer-rejected": refusedToken("The token was issued by somebody else"),
  "audience-rejected": refusedToken("The token is meant for another audience"),
  "token-expired": refusedToken("The token has expired"),
  "token-not-yet-valid": refusedToken("The token is not valid yet"),
  "token-revoked": refusedToken("The token has been revoked"),
  "user-deactivated": refusedToken("All tokens of this user issued so far have been revoked"),
  "credentials-invalid": refusedCall(401, "The e-mail address or the password is wrong"),
  "refresh-token-invalid": refusedCall(401, "The refresh token is not valid"),
  forbidden: { ...refusedCall(403, "The token's roles do not allow this"), challenge: "insufficient_scope" },
  "not-found": refusedCall(404, "There is nothing at this address"),
  "method-not-allowed": refusedCall(405, "The method is not allowed here"),
  "request-timeout": refusedCall(408, "The request took too long to arrive"),
  "email-taken": refusedCall(409, "The e-mail address is in use"),
  "idempotency-in-progress": refusedCall(409, "The first call with this key is still under way"),
  "last-administrator": refusedCall(409, "The last active administrator cannot be removed"),
  "hold-over": refusedCall(409, "The revocation does not wait for a confirmation"),
  "external-identity-taken": refusedCall(409, "The external identity belongs to another user"),
  "idempotency-conflict": refusedCall(
    422,
    "The Idempotency-Key, or the event's source and id, belong to another call",
  ),
  "rate-limited": refusedCall(429, "Too many attempts have failed"),
  "request-too-large": refusedCall(413, "The request body is too large"),
  "unsupported-media-type": refusedCall(415, "The content type is not accepted"),
  "uri-too-long": refusedCall(414, "The path and the query are too long"),
  "request-header-too-large": refusedCall(431, "The request headers are too large"),
  "body-malformed": refusedCall(400, "The request body is not a JSON object"),
  "request-malformed": refusedCall(400, "The request is malformed"),
  "validation-failed": refusedCall(400, "The request has members that are not accepted"),
  "replica-cold": unavailable("This instance has not loaded the revocations yet"),
  "replica-stale": unavailable("This instance cannot prove that its revocations are fresh"),
  "dependency-unavailable": unavailable("A service that this call needs does not answer"),
  "too-busy": unavailable("Too many passwords are being checked at once"),
  "administrator-busy": unavailable("Another administrator is being removed"),
  "outbox-full": unavailable("Too many events of this user wait to be published"),
  "shutting-down": unavailable("This instance is shutting down"),
  "no-signing-key": unavailable("This instance has no key that may sign"),
  "store-invalid": unavailable("The revocation store is being repaired"),
  "event-rejected": { ...refusedCall(400, "The event is not acceptable"), expose: true },
  "config-invalid": { ...refusedCall(500, "The settings are not valid"), expose: false },
  "internal-error": { ...refusedCall(500, "Something went wrong on our side"), expose: false },
} as const satisfies Record<string, ErrorRule>;

export type ErrorCode = keyof typeof errorTable;

export interface ErrorOptionsOfApp {
  readonly cause?: unknown;
  /** Where in the request the fault lies: RFC 6901 pointers. */
  readonly errors?: readonly { readonly pointer: string; readonly detail: string }[];
  readonly retryAfterSeconds?: number;
  readonly headers?: Readonly<Record<string, string>>;
}

/** An expected failure. `message` is the sentence that tells the caller what to change. */
export class AppError extends Error {
  readonly code: ErrorCode;
  readonly errors: readonly { readonly pointer: string; readonly detail: string }[];
  readonly retryAfterSeconds: number | undefined;
  readonly headers: Readonly<Record<string, string>>;

  constructor(code: ErrorCode, message: string, options: ErrorOptionsOfApp = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = "AppError";
    this.code = code;
    this.errors = options.errors ?? [];
    this.retryAfterSeconds = options.retryAfterSeconds;
    this.headers = options.headers ?? {};
  }

  get rule(): ErrorRule {
    return errorTable[this.code];
  }
}

export type Dependency = "kafka" | "redis" | "mongodb";

/** The error of every port whose server did not answer, answered late, or refused for its own reasons. */
export function dependencyUnavailable(dependency: Dependency, cause: unknown): AppError {
  return new AppError("dependency-unavailable", `${dependency} does not answer; try again shortly.`, {
    cause,
    retryAfterSeconds: 1,
  });
}

export function isRetriable(error: unknown): boolean {
  return error instanceof AppError && error.rule.retriable;
}
