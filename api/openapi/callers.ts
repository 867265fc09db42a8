import type { ErrorCode } from "../../shared/errors.ts";

interface CallerRule {
  /** One line for readers. */
  readonly description: string;
  /** OpenAPI security requirements: one of these is enough. */
  readonly security: readonly Readonly<Record<string, readonly string[]>>[];
  /** What the guards of such a route answer with. */
  readonly problems: readonly ErrorCode[];
}

const token: readonly ErrorCode[] = [
  "auth-ambiguous",
  "auth-malformed",
  "token-missing",
  "auth-scheme-unsupported",
  "token-too-large",
  "token-malformed",
  "algorithm-rejected",
  "header-rejected",
  "key-unknown",
  "token-type-rejected",
  "signature-invalid",
  "claims-invalid",
  "issuer-rejected",
  "audience-rejected",
  "token-expired",
  "token-not-yet-valid",
  "token-revoked",
  "user-deactivated",
  "replica-cold",
  "replica-stale",
  "shutting-down",
];
const bearer = [{ accessToken: [] }];

/** Who may call an operation, and what everybody else is told. */
export const callers = {
  anyone: { description: "Anyone; no token is looked at.", security: [], problems: [] },
  bearer: { description: "Whoever holds an access token.", security: bearer, problems: token },
  admin: {
    description: "An access token with the role admin.",
    security: bearer,
    problems: [...token, "forbidden"],
  },
  operator: {
    description: "An access token with the role operator or admin.",
    security: bearer,
    problems: [...token, "forbidden"],
  },
  emitter: {
    description: "An access token with the role emitter or admin.",
    security: bearer,
    problems: [...token, "forbidden"],
  },
  client: {
    description: "A client, by HTTP Basic or by a signed assertion in the body (private_key_jwt).",
    security: [{ client: [] }, {}],
    problems: [],
  },
  clientOrToken: {
    description:
      "A client, by HTTP Basic or by a signed assertion in the body (private_key_jwt); or, by an access token, a " +
      "client, an operator or an administrator.",
    security: [{ client: [] }, { accessToken: [] }, {}],
    problems: [],
  },
} as const satisfies Readonly<Record<string, CallerRule>>;

export type Caller = keyof typeof callers;

export const securitySchemes = {
  accessToken: {
    type: "http",
    scheme: "bearer",
    bearerFormat: "JWT",
    description:
      "An access token as POST /auth/login gives it, in the Authorization header and nowhere else (RFC 6750 §2.1): " +
      "a JWT of type at+jwt (RFC 9068).",
  },
  client: {
    type: "http",
    scheme: "basic",
    description:
      "A client's id and secret, form-encoded (RFC 6749 §2.3.1); private_key_jwt (RFC 7523) stands in the body instead.",
  },
} as const;
