import { ids } from "./example-ids.ts";

export interface HeaderDescription {
  readonly description: string;
  readonly schema: Readonly<Record<string, unknown>>;
  readonly example: unknown;
  /** Whether an answer that names it may come without it. */
  readonly isOptional?: boolean;
}

/** Of an event in binary mode; with a structured one none of them counts. */
function ceAttribute(name: string, what: string, example: string): HeaderDescription {
  const description = `Binary mode only: the event's ${name}, what is not printable ASCII percent-encoded as UTF-8. ${what}`;
  return { description, schema: { type: "string" }, example };
}

/** Headers of answers and of requests, each under the name that it is sent with. */
export const headers = {
  "X-Request-Id": {
    description:
      "Names the request in the service's log. Taken from the request if it has 1 to 128 of A-Z a-z 0-9 . _ ~ -, made otherwise.",
    schema: { type: "string" },
    example: ids.request,
  },
  "Cache-Control": {
    description: "Whether the answer may be kept (RFC 9111).",
    schema: { type: "string" },
    example: "no-store",
  },
  ETag: {
    description: "Names this state of what was asked for.",
    schema: { type: "string", pattern: '^(W/)?"[^"]*"$' },
    example: '"3Wq0bL0cV8pX"',
  },
  "If-None-Match": {
    description: "The ETag of what one has; it is not sent again while it stands.",
    schema: { type: "string" },
    example: '"3Wq0bL0cV8pX"',
  },
  Location: {
    description: "Where what was made, or the receipt, is read.",
    schema: { type: "string", format: "uri-reference" },
    example: `/revocations/${ids.event}`,
  },
  "Retry-After": {
    description: "In how many seconds the same call may succeed.",
    schema: { type: "integer", minimum: 0 },
    example: 1,
    isOptional: true,
  },
  "WWW-Authenticate": {
    description: "What would be accepted, and what was wrong with the token if there was one (RFC 6750 §3).",
    schema: { type: "string" },
    example: 'Bearer realm="quash"',
  },
  Pragma: {
    description: "As Cache-Control, for who knows nothing newer (RFC 6749 §5.1).",
    schema: { type: "string", enum: ["no-cache"] },
    example: "no-cache",
  },
  "Idempotency-Key": {
    description:
      "1 to 128 visible ASCII characters, such as a UUID: the call is made once, and one that comes again under its key gets the same answer.",
    schema: { type: "string", pattern: "^[!#-+\\-.-:<-\\[\\]-~]{1,128}$" },
    example: ids.request,
  },
  "Idempotency-Replayed": {
    description: "The answer is that of an earlier call under the same Idempotency-Key.",
    schema: { type: "string", enum: ["true"] },
    example: "true",
    isOptional: true,
  },
  RateLimit: {
    description: "How far each limit is from being used up (draft-ietf-httpapi-ratelimit-headers).",
    schema: { type: "string" },
    example: '"account";r=0;t=120',
    isOptional: true,
  },
  "RateLimit-Policy": {
    description: "The limits (draft-ietf-httpapi-ratelimit-headers).",
    schema: { type: "string" },
    example: '"account";q=10;w=300',
    isOptional: true,
  },
  "ce-specversion": ceAttribute("specversion", "Always 1.0.", "1.0"),
  "ce-id": ceAttribute("id", "With ce-source it identifies the event.", "4711"),
  "ce-source": ceAttribute(
    "source",
    "Whose event it is; none under /quash, where this system's own stand.",
    "https://hr.example.com",
  ),
  "ce-type": ceAttribute("type", "As in structured mode.", "user.deactivated"),
  "ce-subject": ceAttribute(
    "subject",
    "The user's id; not needed where the body has external, nor with token.revoked.",
    ids.user,
  ),
  "ce-time": ceAttribute("time", "When it happened; now, if left out.", "2026-03-01T12:03:00Z"),
  "X-Accel-Buffering": {
    description: "Tells a balancer to hand each event on at once.",
    schema: { type: "string", enum: ["no"] },
    example: "no",
  },
  "Content-Security-Policy": {
    description: "The page loads nothing and runs nothing.",
    schema: { type: "string" },
    example: "default-src 'none'",
  },
} as const satisfies Readonly<Record<string, HeaderDescription>>;

export type HeaderName = keyof typeof headers;
