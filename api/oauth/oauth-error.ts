/** The errors of RFC 6749 §5.2, of RFC 7009 §2.2.1 and of RFC 6750 §3.1, with their HTTP status here. */
const statuses = {
  invalid_request: 400,
  invalid_client: 401,
  unauthorized_client: 400,
  unsupported_grant_type: 400,
  invalid_scope: 400,
} as const;

export type OauthErrorCode = keyof typeof statuses;

/** Refused in the words of OAuth. `message` is the sentence that tells the caller what to change. */
export class OauthError extends Error {
  override name = "OauthError";
  readonly code: OauthErrorCode;

  constructor(code: OauthErrorCode, message: string) {
    super(message);
    this.code = code;
  }

  get status(): number {
    return statuses[this.code];
  }
}

/** One answer for an unknown client, a wrong secret and one that was cut off: it does not tell which. */
export function invalidClient(): OauthError {
  return new OauthError("invalid_client", "The client is unknown, or its authentication is wrong.");
}
