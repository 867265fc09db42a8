import { expect } from "chai";
import fc from "fast-check";
import { describe, it } from "mocha";
import { createDeadLetter } from "../../../shared/events/dead-letter.ts";
import { decodeEvent } from "../../../shared/events/decode-event.ts";
import { encodeEvent } from "../../../shared/events/encode-event.ts";
import { deadLetterReasons, eventTypes, type QuashEvent } from "../../../shared/events/event.ts";
import {
  appendedAtMs,
  bytes,
  cloudEvent,
  decode,
  namespace,
  ownEvent,
  structuredHeaders,
} from "./event-fixtures.ts";

const headerValue = fc.oneof(
  fc.uint8Array({ maxLength: 40 }),
  fc.string({ unit: "binary" }),
  fc.array(fc.uint8Array({ maxLength: 5 }), { maxLength: 3 }),
  fc.constantFrom(
    null,
    undefined,
    "application/cloudevents+json",
    "application/json",
    "1.0",
    "token.revoked",
  ),
  fc.anything(),
);
const headerName = fc.oneof(
  fc.string(),
  fc.constantFrom("content-type", "ce_id", "ce_type", "ce_source", "ce_specversion", "ce_time", "ce_subject"),
);

describe("events, for any input", () => {
  it("decodes random bytes and headers without throwing", () => {
    const value = fc.oneof(fc.uint8Array({ maxLength: 300 }), fc.json().map(bytes), fc.anything());
    const headers = fc.oneof(fc.dictionary(headerName, headerValue), fc.anything());
    fc.assert(
      fc.property(value, headers, (value, headers) => isAnswer(decode(value, headers))),
      { numRuns: 2000 },
    );
  });

  it("decodes valid events with a replaced member without throwing", () => {
    const member = fc.constantFrom(
      "id",
      "source",
      "type",
      "subject",
      "time",
      "data",
      "specversion",
      "datacontenttype",
    );
    const details = fc.dictionary(
      fc.constantFrom("epoch", "jti", "sid", "exp", "external", "reason", "actor"),
      fc.jsonValue(),
    );
    const base = fc.constantFrom(cloudEvent(), ownEvent());
    const any = fc.oneof(fc.jsonValue(), details, fc.constantFrom(...eventTypes));
    fc.assert(
      fc.property(base, member, any, (event, name, value) =>
        isAnswer(decode(bytes(JSON.stringify({ ...event, [name]: value })))),
      ),
      { numRuns: 2000 },
    );
  });

  it("decodes valid events with changed bytes without throwing", () => {
    const valid = bytes(JSON.stringify(ownEvent()));
    const change = fc.record({ at: fc.nat(valid.length - 1), to: fc.integer({ min: 0, max: 255 }) });
    fc.assert(
      fc.property(fc.array(change, { minLength: 1, maxLength: 4 }), (changes) => {
        const value = Uint8Array.from(valid);
        for (const { at, to } of changes) value[at] = to;
        return isAnswer(decode(value));
      }),
      { numRuns: 2000 },
    );
  });

  it("decodes what it encoded", () => {
    fc.assert(
      fc.property(anyEvent(), (event) => {
        const record = encodeEvent(event);
        expect(decodeEvent(record, { appendedAtMs, namespace })).to.deep.equal({ ok: true, event });
      }),
    );
  });

  it("makes a dead letter of any record, no larger than a broker takes", () => {
    const record = fc.record({
      key: fc.option(fc.uint8Array()),
      value: fc.option(fc.oneof(fc.uint8Array(), fc.constant(new Uint8Array(900_000)))),
      headers: fc.dictionary(
        fc.string(),
        fc.oneof(fc.uint8Array(), fc.constant(undefined), fc.array(fc.uint8Array())),
      ),
    });
    const place = { topic: "t", partition: 0, offset: "7", appendedAtMs };
    const why = { reason: "not-json", detail: "no", atMs: appendedAtMs, attempts: 1 } as const;
    fc.assert(
      fc.property(
        record,
        (sent) => (createDeadLetter({ ...sent, ...place }, why).value?.byteLength ?? 0) < 300_000,
      ),
    );
  });
});

function isAnswer(decoded: ReturnType<typeof decode>): boolean {
  return decoded.ok || (deadLetterReasons.includes(decoded.reason) && decoded.detail !== "");
}

function anyEvent(): fc.Arbitrary<QuashEvent> {
  const text = fc.string({ minLength: 1, maxLength: 60, unit: "grapheme" }).filter((s) => !/\p{Cc}/u.test(s));
  const identity = {
    id: text,
    timeMs: fc.integer({ min: Date.UTC(2000, 0, 1), max: appendedAtMs + 86_400_000 }),
    subject: text,
  };
  const shared = { reason: text, actor: text, jti: text, exp: fc.nat(4_000_000_000) };
  const upstream = fc.record({
    ...identity,
    source: text,
    type: fc.constantFrom(...eventTypes),
    details: fc.record(
      { ...shared, external: fc.record({ iss: text, sub: text }) },
      { requiredKeys: ["jti"] },
    ),
  });
  const own = fc.record({
    ...identity,
    source: fc.constant(`/quash/${namespace}`),
    type: fc.constantFrom(...eventTypes),
    details: fc.record({ ...shared, epoch: fc.maxSafeNat(), sid: text }, { requiredKeys: ["jti", "epoch"] }),
  });
  return fc.oneof(upstream, own);
}

// The fixtures are valid: otherwise the mutations above would prove nothing.
for (const event of [cloudEvent(), ownEvent()]) {
  const decoded = decode(bytes(JSON.stringify(event)), structuredHeaders);
  if (!decoded.ok) throw new Error(`a fixture is refused: ${decoded.detail}`);
}
