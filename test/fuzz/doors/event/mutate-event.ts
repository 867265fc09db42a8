import type { Random } from "../../../support/random.ts";

type Json = Record<string, unknown>;

/** What is put in the place of a member. */
const strange: readonly unknown[] = [
  null,
  "",
  " ",
  0,
  -1,
  1.5,
  1e308,
  2 ** 53,
  true,
  [],
  {},
  [[]],
  { $ne: null },
  { $gt: "" },
  { $where: "1" },
  "\u0000",
  "a\r\nb",
  "\ud800",
  "\u202e",
  "__proto__",
  "constructor",
  "x".repeat(300),
  "x".repeat(5_000),
  "1.0 ",
  "../../etc/passwd",
  "%00",
  "١٢٣",
];
const times: readonly unknown[] = [
  "yesterday",
  "1999-12-31T23:59:59Z",
  "2000-01-01T00:00:00.000Z",
  "9999-12-31T23:59:59Z",
  "2026-02-30T00:00:00Z",
  "2016-12-31T23:59:60Z",
  "2024-01-01T00:00:00+23:59",
  "2024-01-01t00:00:00z",
  "2024-01-01 00:00:00Z",
  "0000-00-00T00:00:00Z",
  `2024-01-01T00:00:00.${"9".repeat(40)}Z`,
  1_768_478_400,
  -1,
];
const contentTypes: readonly string[] = [
  "application/cloudevents+json; charset=utf-8",
  "application/cloudevents+json; charset=utf-16",
  "application/cloudevents-batch+json",
  "application/json",
  "APPLICATION/CLOUDEVENTS+JSON",
  "text/plain",
  "application/cloudevents+json;;;",
  "multipart/form-data",
  ";",
];

type Change = (event: Json, random: Random) => Json;

const setMember = (event: Json, name: string, value: unknown): Json => ({ ...event, [name]: value });
const dataOf = ({ data }: Json): Json => (typeof data === "object" && data !== null ? { ...data } : {});

const changes: readonly Change[] = [
  (event, random) => setMember(event, random.pick(Object.keys(event)), random.pick(strange)),
  (event, random) => setMember(event, random.pick(Object.keys(event)), undefined),
  (event, random) => setMember(event, "time", random.pick(times)),
  (event, random) => setMember(event, "specversion", random.pick(["0.3", "1.0.0", 1, "2.0"])),
  (event, random) =>
    setMember(event, "type", random.pick(["user.promoted", "USER.DEACTIVATED", "user.", "user.deleted"])),
  (event, random) =>
    setMember(
      event,
      "datacontenttype",
      random.pick(["application/xml", "application/json;charset=utf-8", 7, ""]),
    ),
  (event, random) => {
    const names = ["reason", "actor", "epoch", "jti", "exp", "sid", "external", "constructor", "filler"];
    return setMember(event, "data", { ...dataOf(event), [random.pick(names)]: random.pick(strange) });
  },
  (event, random) => setMember(event, "data", random.pick(strange)),
  (event, random) =>
    setMember(event, "data", {
      ...dataOf(event),
      external: { iss: random.pick(strange), sub: random.pick(strange) },
    }),
  (event) => setMember(event, "data_base64", "e30="),
  (event, random) => setMember(event, `ext${random.integer(0, 9)}`, random.pick(strange)),
  (event, random) => setMember(event, "filler", deep(random.integer(1, 2_000))),
  (event) => setMember(event, "filler", "x".repeat(20_000)),
];

/** An event that is not quite one any more, or still is. */
export function mutateEvent(event: Json, random: Random): Json {
  let mutated = event;
  for (let left = random.integer(1, 3); left > 0; left -= 1) mutated = random.pick(changes)(mutated, random);
  return mutated;
}

/** The bytes of a text that may be no JSON any more, and no UTF-8. */
export function mutateText(text: string, random: Random): Uint8Array {
  const bytes = Buffer.from(random.chance(0.3) ? repeatMember(text, random) : text);
  const at = random.integer(0, Math.max(0, bytes.length - 1));
  switch (random.integer(0, 6)) {
    case 0:
      return bytes.subarray(0, at);
    case 1:
      bytes[at] = random.integer(0, 255);
      return bytes;
    case 2:
      return Buffer.concat([bytes.subarray(0, at), random.bytes(random.integer(1, 8)), bytes.subarray(at)]);
    case 3:
      return Buffer.concat([Buffer.from("\uFEFF"), bytes]);
    case 4:
      return Buffer.concat([bytes, bytes]);
    case 5:
      return random.bytes(random.integer(0, 64));
    default:
      return bytes;
  }
}

export function mutateContentType(contentType: string, random: Random): string {
  return random.chance(0.2) ? random.pick(contentTypes) : contentType;
}

function repeatMember(text: string, random: Random): string {
  const more = random.pick([
    '"id":"other",',
    '"__proto__":{"id":"1"},',
    '"subject":"other",',
    '"data":{"data":{}},',
  ]);
  return text.replace("{", `{${more}`);
}

function deep(levels: number): unknown {
  let value: unknown = 1;
  for (let level = 0; level < levels; level += 1) value = [value];
  return value;
}
