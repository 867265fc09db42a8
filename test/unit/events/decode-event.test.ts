import { expect } from "chai";
import { describe, it } from "mocha";
import type { DecodedEvent } from "../../../shared/events/decode-event.ts";
import type { DeadLetterReason, QuashEvent } from "../../../shared/events/event.ts";
import { keyNameOf } from "../../../shared/events/key-name.ts";
import {
  appendedAtMs,
  bytes,
  cloudEvent,
  decode,
  decodeStructured,
  ownEvent,
  structuredHeaders,
} from "./event-fixtures.ts";

const binaryHeaders = {
  "content-type": "application/json",
  ce_specversion: "1.0",
  ce_id: "e-1",
  ce_source: "https://hr.example",
  ce_type: "user.deactivated",
  ce_subject: "u-1",
  ce_time: "2026-05-06T07:08:08.500Z",
};
const decodeBinary = (headers: Record<string, unknown>, data = "{}") => decode(bytes(data), headers);
const text = (event: unknown) => JSON.stringify(event);

describe("decodeEvent", () => {
  it("reads an upstream event in structured mode", () => {
    expect(eventOf(decodeStructured(cloudEvent()))).to.deep.equal({
      id: "e-1",
      source: "https://hr.example",
      type: "user.deactivated",
      subject: "u-1",
      timeMs: Date.UTC(2026, 4, 6, 7, 8, 8, 500),
      details: { reason: "left" },
    });
  });

  it("reads the same event in binary mode", () => {
    const asBytes = Object.fromEntries(Object.entries(binaryHeaders).map(([k, v]) => [k, bytes(v)]));
    const decoded = decodeBinary(asBytes, '{"reason":"left"}');
    expect(decoded).to.deep.equal(decodeStructured(cloudEvent()));
  });

  const accepted: readonly [string, () => DecodedEvent][] = [
    [
      "a content type with a charset",
      () => decodeStructured(cloudEvent(), { "content-type": "Application/CloudEvents+JSON; charset=UTF-8" }),
    ],
    ["a record without any header", () => decodeStructured(cloudEvent(), {})],
    [
      "a header that was sent as null",
      () => decodeStructured(cloudEvent(), { ...structuredHeaders, trace: null }),
    ],
    [
      "unknown members and extension attributes",
      () => decodeStructured(cloudEvent({ partitionkey: "p", data: { extra: { a: 1 } } })),
    ],
    ["no data", () => decodeStructured(cloudEvent({ data: undefined }))],
    [
      "members that are null",
      () => decodeStructured(cloudEvent({ datacontenttype: null, data: { reason: null, exp: null } })),
    ],
    [
      "an external identity in place of the subject",
      () =>
        decodeStructured(
          cloudEvent({ subject: undefined, data: { external: { iss: "https://idp.example", sub: "s" } } }),
        ),
    ],
    [
      "a token revocation without a subject",
      () => decodeStructured(cloudEvent({ type: "token.revoked", subject: undefined, data: { jti: "t-1" } })),
    ],
    [
      "an own sign-out of one session without an epoch",
      () => decodeStructured(ownEvent({ type: "user.signed-out", data: { sid: "s-1" } })),
    ],
    [
      "an own token revocation without an epoch",
      () => decodeStructured(ownEvent({ type: "token.revoked", data: { jti: "t-1" } })),
    ],
    [
      "a member that is named like one of Object.prototype",
      () => decodeStructured(cloudEvent({ constructor: 1, data: { toString: 1 } })),
    ],
    [
      "data nested very deeply",
      () =>
        decode(
          bytes(text(cloudEvent()).replace('"left"', `"left","x":${"[".repeat(9000)}${"]".repeat(9000)}`)),
        ),
    ],
  ];
  for (const [title, act] of accepted) {
    it(`accepts ${title}`, () => {
      expect(act()).to.have.property("ok", true);
    });
  }

  it("ignores epoch and sid in anybody else's event, whatever they are", () => {
    const decoded = decodeStructured(
      cloudEvent({ source: "/quash/other", data: { epoch: -1, sid: { a: 1 } } }),
    );
    expect(eventOf(decoded).details).to.deep.equal({});
  });

  it("keeps epoch and sid of an own event", () => {
    const decoded = decodeStructured(ownEvent({ type: "user.signed-out", data: { epoch: 3, sid: "s-1" } }));
    expect(eventOf(decoded).details).to.deep.equal({ epoch: 3, sid: "s-1" });
  });

  it("rounds the expiry of a token up", () => {
    const decoded = decodeStructured(
      cloudEvent({ type: "token.revoked", data: { jti: "t", exp: 1_800_000_000.2 } }),
    );
    expect(eventOf(decoded).details.exp).to.equal(1_800_000_001);
  });

  it("says where the fault lies without repeating what was sent", () => {
    const decoded = decodeStructured(ownEvent({ data: { epoch: "canary-3" } }));
    expect(decoded).to.have.property("detail").that.includes("data.epoch").and.not.includes("canary");
  });
});

describe("decodeEvent, time", () => {
  const times: readonly [string, string | null | undefined, number][] = [
    ["takes the append time where there is none", undefined, appendedAtMs],
    ["takes the append time where it is null", null, appendedAtMs],
    [
      "takes the end of the second where there is no fraction",
      "2026-05-06T07:08:08Z",
      Date.UTC(2026, 4, 6, 7, 8, 8, 999),
    ],
    ["cuts a fraction to milliseconds", "2026-05-06T07:08:08.1239Z", Date.UTC(2026, 4, 6, 7, 8, 8, 123)],
    ["reads a fraction of one digit", "2026-05-06T07:08:08.5Z", Date.UTC(2026, 4, 6, 7, 8, 8, 500)],
    ["reckons with the offset", "2026-05-06T09:08:08.000+02:00", Date.UTC(2026, 4, 6, 7, 8, 8)],
    ["reads lower-case letters", "2026-05-06t07:08:08.000z", Date.UTC(2026, 4, 6, 7, 8, 8)],
    ["reads a leap second", "2016-12-31T23:59:60Z", Date.UTC(2016, 11, 31, 23, 59, 59, 999)],
    ["reads the first moment of 2000", "2000-01-01T00:00:00.000Z", Date.UTC(2000, 0, 1)],
    ["reads exactly a day ahead", "2026-05-07T07:08:09.010Z", appendedAtMs + 86_400_000],
  ];
  for (const [title, time, timeMs] of times) {
    it(title, () => {
      expect(eventOf(decodeStructured(cloudEvent({ time }))).timeMs).to.equal(timeMs);
    });
  }

  it("bounds no time of an event of ours, whose clock may be wrong", () => {
    const time = "2031-01-01T00:00:00.000Z";
    expect(eventOf(decodeStructured(ownEvent({ time }))).timeMs).to.equal(Date.UTC(2031, 0, 1));
    expect(decodeStructured(cloudEvent({ time }))).to.include({ reason: "clock-out-of-range" });
  });
});

describe("decodeEvent, refusals", () => {
  const refused: Record<
    Exclude<DeadLetterReason, "internal-error" | "hold-expired" | "last-administrator">,
    readonly [string, () => DecodedEvent][]
  > = {
    "not-json": [
      ["a missing value", () => decode(null)],
      ["a missing value in binary mode", () => decode(null, binaryHeaders)],
      ["an empty value", () => decode(bytes(""))],
      ["bytes that are not UTF-8", () => decode(Uint8Array.of(0x7b, 0xff, 0x7d))],
      ["a byte order mark", () => decode(bytes(`\uFEFF${text(cloudEvent())}`))],
      ["text", () => decode(bytes("hello"))],
      ["a cut object", () => decode(bytes('{"specversion":"1.0"'))],
      ["an array", () => decodeStructured([cloudEvent()])],
      ["a string", () => decodeStructured("user.deactivated")],
      ["null", () => decodeStructured(null)],
      ["text without any header", () => decode(bytes("hello"), {})],
      ["text in binary mode", () => decodeBinary(binaryHeaders, "hello")],
    ],
    "envelope-invalid": [
      ...["specversion", "id", "source", "type"].map((name): [string, () => DecodedEvent] => [
        `a missing ${name}`,
        () => decodeStructured(cloudEvent({ [name]: undefined })),
      ]),
      ["specversion 0.3", () => decodeStructured(cloudEvent({ specversion: "0.3" }))],
      ["an id that is a number", () => decodeStructured(cloudEvent({ id: 7 }))],
      ["an empty source", () => decodeStructured(cloudEvent({ source: "" }))],
      ["an id of 257 characters", () => decodeStructured(cloudEvent({ id: "i".repeat(257) }))],
      ["an id with a line break", () => decodeStructured(cloudEvent({ id: "a\nb" }))],
      [
        "a datacontenttype that is not JSON",
        () => decodeStructured(cloudEvent({ datacontenttype: "application/xml" })),
      ],
      ["data_base64", () => decodeStructured(cloudEvent({ data_base64: "e30=" }))],
      [
        "a batch",
        () => decodeStructured([cloudEvent()], { "content-type": "application/cloudevents-batch+json" }),
      ],
      [
        "a charset that is not UTF-8",
        () =>
          decodeStructured(cloudEvent(), { "content-type": "application/cloudevents+json; charset=utf-16" }),
      ],
      [
        "application/json without ce_ headers",
        () => decodeStructured(cloudEvent(), { "content-type": "application/json" }),
      ],
      ["binary mode without an id", () => decodeBinary({ ...binaryHeaders, ce_id: undefined })],
      ["binary mode with a null type", () => decodeBinary({ ...binaryHeaders, ce_type: null })],
      ["binary mode with two ids", () => decodeBinary({ ...binaryHeaders, ce_id: [bytes("a"), bytes("b")] })],
      [
        "binary mode with an id that is not UTF-8",
        () => decodeBinary({ ...binaryHeaders, ce_id: Uint8Array.of(0xff) }),
      ],
      ["binary mode with XML", () => decodeBinary({ ...binaryHeaders, "content-type": "application/xml" })],
    ],
    "unknown-type": [
      ["a type that is not ours", () => decodeStructured(cloudEvent({ type: "user.promoted" }))],
      ["a type in capitals", () => decodeStructured(cloudEvent({ type: "USER.DEACTIVATED" }))],
      ["a type that Object.prototype has", () => decodeStructured(cloudEvent({ type: "constructor" }))],
    ],
    "data-invalid": [
      ["no subject and no external identity", () => decodeStructured(cloudEvent({ subject: undefined }))],
      ...["", {}, 5, "s".repeat(4096), "a\u0000", "\ud800"].map((subject): [string, () => DecodedEvent] => [
        `the subject ${text(subject).slice(0, 20)}`,
        () => decodeStructured(cloudEvent({ subject })),
      ]),
      ["data that is a list", () => decodeStructured(cloudEvent({ data: [] }))],
      ["data that is a string", () => decodeStructured(cloudEvent({ data: "{}" }))],
      ["a reason that is an object", () => decodeStructured(cloudEvent({ data: { reason: { $ne: "" } } }))],
      ["half an external identity", () => decodeStructured(cloudEvent({ data: { external: { iss: "i" } } }))],
      [
        "a token revocation without a jti",
        () => decodeStructured(cloudEvent({ type: "token.revoked", data: {} })),
      ],
      [
        "somebody else's revocation of one of our signing keys",
        () => decodeStructured(cloudEvent({ type: "token.revoked", data: { jti: keyNameOf("abc") } })),
      ],
      ["an expiry in milliseconds", () => decodeStructured(cloudEvent({ data: { exp: 1_800_000_000_000 } }))],
      ...["1", 1.5, -1, 2 ** 53, null, undefined].map((epoch): [string, () => DecodedEvent] => [
        `an own event with the epoch ${text(epoch)}`,
        () => decodeStructured(ownEvent({ data: { epoch } })),
      ]),
      [
        "an own deactivation with a session in place of the epoch",
        () => decodeStructured(ownEvent({ data: { sid: "s-1" } })),
      ],
      [
        "an own sign-out with neither epoch nor session",
        () => decodeStructured(ownEvent({ type: "user.signed-out", data: {} })),
      ],
      ["a member that occurs twice", () => decode(bytes(text(cloudEvent()).replace("{", '{"id":"e-2",')))],
      [
        "a nested member that occurs twice, once escaped",
        () => decode(bytes(text(cloudEvent()).replace('"reason"', String.raw`"r\u0065ason":"x","reason"`))),
      ],
      [
        "a member named __proto__",
        () => decode(bytes(text(cloudEvent()).replace('"reason"', '"__proto__":{"epoch":9},"reason"'))),
      ],
    ],
    "clock-out-of-range": [
      "yesterday",
      "2026-05-06",
      "2026-05-06T07:08:08",
      "2026-05-06 07:08:08Z",
      "2026-02-30T07:08:08Z",
      "2026-05-06T24:00:00Z",
      "2026-05-06T07:08:08+24:00",
      "1999-12-31T23:59:59.999Z",
      "2026-05-07T07:08:09.011Z",
      1_780_000_000,
      {},
    ].map((time): [string, () => DecodedEvent] => [
      `the time ${text(time)}`,
      () => decodeStructured(cloudEvent({ time })),
    ]),
    "too-large": [
      ["a value of 5 MB", () => decodeStructured(cloudEvent({ data: { reason: "r".repeat(5_000_000) } }))],
      [
        "10,000 headers",
        () =>
          decodeStructured(
            cloudEvent(),
            Object.fromEntries(Array.from({ length: 10_000 }, (_, i) => [`h${i}`, ""])),
          ),
      ],
      [
        "one header 10,000 times",
        () => decodeStructured(cloudEvent(), { h: Array.from({ length: 10_000 }, () => bytes("")) }),
      ],
      ["headers of 70 kB", () => decodeStructured(cloudEvent(), { h: new Uint8Array(70_000) })],
    ],
  };
  for (const [reason, cases] of Object.entries(refused)) {
    for (const [title, act] of cases) {
      it(`refuses ${title} as ${reason}`, () => {
        expect(act()).to.include({ ok: false, reason });
      });
    }
  }
});

function eventOf(decoded: DecodedEvent): QuashEvent {
  if (!decoded.ok) throw new Error(`${decoded.reason}: ${decoded.detail}`);
  return decoded.event;
}

describe("decodeEvent, what it refuses of ours", () => {
  it("names the event where its id can be read", () => {
    const refused = { ok: false, reason: "data-invalid", ownId: "e-1" };
    expect(decodeStructured(ownEvent({ data: { epoch: -1 } }))).to.include(refused);
    expect(decodeStructured(ownEvent({ type: "user.unheard-of" }))).to.include({ ownId: "e-1" });
  });

  it("names no event of anybody else, and none without an id", () => {
    expect(decodeStructured(cloudEvent({ data: { external: 1 } }))).not.to.have.property("ownId");
    expect(decodeStructured(ownEvent({ id: "" }))).not.to.have.property("ownId");
  });
});
