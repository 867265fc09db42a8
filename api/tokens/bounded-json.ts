/** How much structure a JSON text may have. */
export interface JsonBounds {
  /** How deep objects and arrays may lie in each other. */
  readonly depth: number;
  /** How many members all objects may have together. */
  readonly members: number;
  /** How many brackets, colons and commas may stand outside strings. */
  readonly marks: number;
}

export type BoundedJson =
  | { readonly kind: "too-deep" | "too-many" | "no-object" }
  | {
      readonly kind: "object";
      readonly members: Readonly<Record<string, unknown>>;
      /** Whether an object in it has two members of one name, of which JSON.parse keeps the last. */
      readonly hasRepeatedMember: boolean;
      /** Whether a name or a text in it holds a control character or half a surrogate pair. */
      readonly hasHiddenCharacter: boolean;
      /** As counted: see the bounds. */
      readonly marks: number;
    };

const hiddenCharacter = /[\p{Cc}\p{Cs}]/u;
/** In a text of JSON they are escaped, but for those from U+007F on. */
const mayHide = /[\\\u007f-\u009f]/;

const quote = 0x22;
const comma = 0x2c;
const colon = 0x3a;
const backslash = 0x5c;
const openBracket = 0x5b;
const closeBracket = 0x5d;
const openBrace = 0x7b;
const closeBrace = 0x7d;

/**
 * Parses a JSON object whose author nobody knows yet. Its structure is counted before JSON.parse sees it, in one pass
 * and without a copy, so that what costs much to parse costs little to refuse. Throws the `SyntaxError` of JSON.parse.
 */
export function parseBoundedObject(text: string, bounds: JsonBounds): BoundedJson {
  const measured = measure(text, bounds);
  if (typeof measured === "string") return { kind: measured };
  const value: unknown = JSON.parse(text);
  if (!isObject(value)) return { kind: "no-object" };
  // Each member has a colon: one that another took the place of is missing in the count of what was parsed.
  return {
    kind: "object",
    members: value,
    hasRepeatedMember: countMembers(value) !== measured.members,
    hasHiddenCharacter: mayHide.test(text) && holdsHiddenCharacter(value),
    marks: measured.marks,
  };
}

/** Of a text that may be no JSON at all: what it counts is right for JSON, and bounded for everything. */
function measure(
  text: string,
  bounds: JsonBounds,
): { members: number; marks: number } | "too-deep" | "too-many" {
  let depth = 0;
  let marks = 0;
  let members = 0;
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code === quote) {
      at = endOfString(text, at);
      continue;
    }
    if (code === openBrace || code === openBracket) {
      depth += 1;
      if (depth > bounds.depth) return "too-deep";
    } else if (code === closeBrace || code === closeBracket) depth -= 1;
    else if (code === colon) members += 1;
    else if (code !== comma) continue;
    marks += 1;
    if (marks > bounds.marks || members > bounds.members) return "too-many";
  }
  return { members, marks };
}

/** Where the quotation mark stands that ends the string which begins at `start`. */
function endOfString(text: string, start: number): number {
  let at = start + 1;
  while (at < text.length && text.charCodeAt(at) !== quote) at += text.charCodeAt(at) === backslash ? 2 : 1;
  return at;
}

function countMembers(value: unknown): number {
  if (typeof value !== "object" || value === null) return 0;
  const inner: readonly unknown[] = Array.isArray(value) ? value : Object.values(value);
  let members = Array.isArray(value) ? 0 : inner.length;
  for (const one of inner) members += countMembers(one);
  return members;
}

function holdsHiddenCharacter(value: unknown): boolean {
  if (typeof value === "string") return hiddenCharacter.test(value);
  if (typeof value !== "object" || value === null) return false;
  return Object.entries(value).some(([name, one]) => hiddenCharacter.test(name) || holdsHiddenCharacter(one));
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
