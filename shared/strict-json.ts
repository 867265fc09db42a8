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
  const name = ambiguousMember(text);
  if (name === null) return { ok: true, value };
  const shown = JSON.stringify(name.slice(0, 64));
  const why =
    name === "__proto__" ? `a member is named ${shown}` : `the member ${shown} occurs twice in an object`;
  return fault("ambiguous", why);
}

function fault(kind: JsonFault["kind"], detail: string): JsonReading {
  return { ok: false, fault: { kind, detail } };
}

/** `text` is valid JSON by now, so only strings and brackets matter. Without recursion: nesting may be deep. */
function ambiguousMember(text: string): string | null {
  const token = /"[^"\\]*(?:\\.[^"\\]*)*"|[{}[\],]/g;
  /** Per open bracket the names so far; null for an array. */
  const open: (Set<string> | null)[] = [];
  let expectsName = false;
  for (let match = token.exec(text); match !== null; match = token.exec(text)) {
    const [found] = match;
    if (found === "{" || found === "[") open.push(found === "{" ? new Set() : null);
    if (found === "}" || found === "]") open.pop();
    const names = open.at(-1);
    if (found.startsWith('"') && expectsName && names) {
      const name = String(JSON.parse(found));
      if (names.has(name) || name === "__proto__") return name;
      names.add(name);
    }
    expectsName = found === "{" || (found === "," && names !== null);
  }
  return null;
}
