import type { ErrorCode } from "../../shared/errors.ts";

const sendBearer = "Send the access token as Authorization: Bearer <token>, in this header and nowhere else.";
const signInAgain = "Refresh the token, or sign in again.";
const notOurs = "Send a token as this service issued it, unchanged. " + signInAgain;

/** What is behind each problem and what whoever meets it can do: the text of its page. */
export const explanations: Readonly<Record<ErrorCode, string>> = {
  "token-missing": `This call needs an access token. ${sendBearer}`,
  "auth-scheme-unsupported": `Other schemes than Bearer are not known here. ${sendBearer}`,
  "auth-ambiguous": `Which of several credentials counts must not be a guess. ${sendBearer}`,
  "auth-malformed": `The header holds more than one token. ${sendBearer}`,
  "token-too-large": `No token that this service issues is that long. ${notOurs}`,
  "token-malformed": `A token has three parts in canonical base64url, of which two are JSON. ${notOurs}`,
  "algorithm-rejected": `The token's alg is not that of the key which it names. ${notOurs}`,
  "header-rejected": `A token's header has alg, typ and kid, and nothing else. ${notOurs}`,
  "key-unknown": `The keys in use are at /.well-known/jwks.json; the token's kid is none of them. ${signInAgain}`,
  "token-type-rejected":
    "Only access tokens (typ at+jwt) are accepted; other tokens cannot stand in for one.",
  "signature-invalid": `The signature does not fit the header and the claims. ${notOurs}`,
  "claims-invalid": `A claim is missing, of a wrong type, given twice, or holds control characters. ${notOurs}`,
  "issuer-rejected": "The token's iss is another issuer's. Sign in at this service.",
  "audience-rejected": "The token's aud is another service's. Ask for a token that is meant for this one.",
  "token-expired": `The token's exp has passed. ${signInAgain}`,
  "token-not-yet-valid":
    "The token's iat or nbf lies in the future: the clocks of two machines differ too much.",
  "token-revoked": "This one token, or its session, was ended before its time. Sign in again.",
  "user-deactivated":
    "All tokens that the user had were ended: he was deactivated, deleted, or signed out everywhere. A new sign-in works if he is active.",
  "credentials-invalid":
    "The address, the password, or both are wrong, or the user may not sign in: the answer does not tell which.",
  "refresh-token-invalid":
    "The refresh token is unknown, spent, or its session has ended. One that is used twice ends its session. Sign in again.",
  forbidden: "The token is good, but its roles do not allow this call. Ask an administrator.",
  "not-found": "Nothing has this path or this id, or what had it is gone.",
  "method-not-allowed": "The path exists, the method does not; the Allow header names those that do.",
  "request-timeout": "Headers and body must arrive within 30 seconds. Send the request again.",
  "email-taken": "Another user has this address; upper and lower case count as one. Choose another.",
  "idempotency-in-progress":
    "A call with the same Idempotency-Key has begun and has not been answered. Send it again after Retry-After: the answer of the first one then comes back.",
  "idempotency-conflict":
    "An Idempotency-Key stands for one call: the same method, path, query and body. Choose a new key for another call. An event's source and id stand for one event: the same type, user and token. Give another event another id.",
  "rate-limited":
    "Too many attempts for this account, from this address or by this client have failed. Those that succeed do not count. Try again after Retry-After; until then the password is not looked at.",
  "last-administrator":
    "Without an active administrator nobody could administer this service. Create or reactivate another one first.",
  "hold-over":
    "Only a held revocation can be confirmed, and only once, before its hold ends; the receipt says what became of it.",
  "external-identity-taken": "Another user has this pair of iss and sub. Take it from him first.",
  "request-too-large": "A body may have at most 16 KB.",
  "unsupported-media-type":
    "Send bodies with content-type: application/json, in UTF-8, without a content encoding.",
  "uri-too-long": "The path and the query together may have at most 8 KB.",
  "request-header-too-large": "The headers of a request may have at most 16 KB together.",
  "body-malformed": "The body must be one JSON object in UTF-8, without a byte order mark.",
  "request-malformed": "The request is not well-formed HTTP; the detail of the answer says where.",
  "validation-failed":
    "Members or query parameters are missing, unknown, repeated, or out of range; errors in the answer points to each.",
  "replica-cold": "This instance has just started and has not loaded the revocations yet. Try again shortly.",
  "replica-stale":
    "This instance has not been able to prove for some time that it knows every revocation, so it accepts nobody. Try again, or ask another one.",
  "dependency-unavailable": "The database, the store or the event log does not answer. Try again shortly.",
  "too-busy":
    "Checking a password takes work on purpose, and this instance does only so much of it at once. Try again shortly, or ask another one.",
  "administrator-busy":
    "Administrators are removed one at a time, so that one is always left. Try again shortly.",
  "outbox-full": "Events of this user wait to be published, too many of them. Try again shortly.",
  "shutting-down": "This instance is about to end. Ask another one.",
  "no-signing-key":
    "Every key of this instance is retired or compromised, so that it can issue no token. An operator adds one to SIGNING_KEYS_FILE; no restart is needed.",
  "store-invalid": "The revocation store was lost or replaced, and is being repaired. Try again shortly.",
  "event-rejected":
    "The event is not a CloudEvent of a known type; the detail of the answer says what to change.",
  "config-invalid": "The settings of this service contradict what it found. Its operators must change them.",
  "internal-error":
    "This is a fault of the service. Its operators find it in the log under the request_id of the answer.",
};
