import type { Dependency } from "./errors.ts";

export interface ConnectionFailure {
  readonly dependency: Dependency;
  readonly error: unknown;
  readonly isTls: boolean;
  /** It has worked before: then what can only be a slip of the settings is none. */
  readonly hasWorked: boolean;
}

type Rule = readonly [
  pattern: RegExp,
  advice: Readonly<Record<Dependency, string | null>>,
  applies?: (failure: ConnectionFailure) => boolean,
];

const everywhere = (advice: string) => ({ kafka: advice, redis: advice, mongodb: advice });

/** By what the libraries say: codes where there are any, else the words of the server. */
const rules: readonly Rule[] = [
  [
    /SELF_SIGNED_CERT|UNABLE_TO_(VERIFY|GET_ISSUER)|self.signed certificate|unable to (verify|get (local )?issuer)/,
    {
      kafka: "its certificate is of an authority that is not known here: name the authority in KAFKA_CA_FILE",
      redis: "its certificate is of an authority that is not known here: name the authority in REDIS_CA_FILE",
      mongodb:
        "its certificate is of an authority that is not known here: name the authority in tlsCAFile of MONGO_URL",
    },
  ],
  [
    /ERR_TLS_CERT_ALTNAME_INVALID|does not match certificate's altnames/,
    everywhere("its certificate is for another name: connect by a name that stands in it"),
  ],
  [
    /CERT_HAS_EXPIRED|CERT_NOT_YET_VALID|certificate (has expired|is not yet valid)/,
    everywhere("its certificate is not valid at this time: renew it, or put the clock of this machine right"),
  ],
  [
    /UNSUPPORTED_SASL_MECHANISM/,
    { ...everywhere(""), kafka: "it does not offer this KAFKA_SASL_MECHANISM: choose another one" },
  ],
  [
    /ILLEGAL_SASL_STATE/,
    {
      ...everywhere(""),
      kafka: "it takes no SASL at this port: leave out KAFKA_SASL_MECHANISM, or use another port",
    },
  ],
  [
    /WRONGPASS|NOAUTH|KafkaJSSASLAuthenticationError|Authentication failed|AuthenticationFailed/,
    {
      kafka: "it does not take the name or the password: check KAFKA_USERNAME and KAFKA_PASSWORD",
      redis: "it does not take the name or the password: check those in REDIS_URL",
      mongodb: "it does not take the name or the password: check those, and authSource, in MONGO_URL",
    },
  ],
  [
    /NOPERM|AUTHORIZATION_FAILED|not authorized on|Unauthorized/,
    {
      kafka:
        "its user lacks rights: he must create, describe, read and write <NAMESPACE>.user-events and <NAMESPACE>.user-events.dead-letter, and read the group <NAMESPACE>.workers",
      redis: "its user lacks rights: he must have all commands on the keys and channels of {<NAMESPACE>}:*",
      mongodb: "its user lacks rights: give him readWrite on the database of NAMESPACE",
    },
  ],
  [
    /disconnected before secure TLS connection|EPROTO|wrong version number|ETIMEDOUT/i,
    {
      kafka: "it does not speak TLS at this port: set KAFKA_TLS to false, or use another port",
      redis: "it may not speak TLS at this port: use redis:// instead of rediss://, or another port",
      mongodb: "it may not speak TLS at this port: leave tls out of MONGO_URL, or use another port",
    },
    ({ isTls, hasWorked }) => isTls && !hasWorked,
  ],
  [
    /Closed connection|ECONNRESET|EPIPE|socket hang up/,
    {
      kafka:
        "it ends each connection at once: if it expects TLS, set KAFKA_TLS to true; if it expects SASL, set KAFKA_SASL_MECHANISM",
      redis: "it ends each connection at once: if it expects TLS, use rediss:// instead of redis://",
      mongodb: "it ends each connection at once: if it expects TLS, add tls=true to MONGO_URL",
    },
    ({ hasWorked }) => !hasWorked,
  ],
];

/** What an operator is to change so that a connection is accepted; null when nothing says so. */
export function adviceOn(failure: ConnectionFailure): string | null {
  const said = wordsOf(failure.error);
  const rule = rules.find(([pattern, , applies]) => pattern.test(said) && (applies?.(failure) ?? true));
  return rule?.[1][failure.dependency] || null;
}

const deepest = 8;

/** Names, codes and messages of an error and its causes. */
function wordsOf(error: unknown, depth = 0): string {
  if (!(error instanceof Error) || depth > deepest) return "";
  const code = "code" in error ? String(error.code) : "";
  const type = "type" in error ? String(error.type) : "";
  const inner = error instanceof AggregateError ? error.errors : errorsIn(error);
  const causes = [error.cause, ...inner].map((cause) => wordsOf(cause, depth + 1));
  return [error.name, code, type, error.message, ...causes].join("\n");
}

/** An aggregate error of a library's own. */
function errorsIn(error: Error): readonly unknown[] {
  return "errors" in error && Array.isArray(error.errors) ? error.errors : [];
}
