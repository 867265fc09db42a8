import { inspectJson } from "./json-shape.ts";

/** What JSON.parse lets through although two readers may read it differently. */
export interface JsonFault {
  readonly kind: "syntax" | "ambiguous";
  readonly detail: string;
}

export type JsonReading =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly fault: JsonFault };

/**
 * Parses UTF-8 bytes as JSON (RFC 8259) and never throws. Invalid UTF-8 and a byte order mark are syntax faults;
 * an object with two members of one name (RFC 7493 §2.3) or one named `__proto__` is ambiguous.
 */
export function parseStrictJson(bytes: Uint8Array): JsonReading {
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return fault("syntax", "it is not valid UTF-8");
  }
  if (text.startsWith("\uFEFF")) return fault("syntax", "it starts with a byte order mark");
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return fault("syntax", text.trim() === "" ? "it is empty" : "it is not JSON");
  }
  const { repeatedMember, hasPrototypeMember } = inspectJson(text);
  if (hasPrototypeMember) return fault("ambiguous", 'a member is named "__proto__"');
  if (repeatedMember === null) return { ok: true, value };
  const shown = JSON.stringify(repeatedMember.join(".").slice(0, 64));
  return fault("ambiguous", `the member ${shown} occurs twice in an object`);
}

function fault(kind: JsonFault["kind"], detail: string): JsonReading {
  return { ok: false, fault: { kind, detail } };
}
