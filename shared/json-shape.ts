export interface JsonShape {
  /** How deep objects and arrays lie in each other; 0 for a bare value. */
  readonly depth: number;
  /** Path of the first member that stands twice in one object, outermost first; null when there is none. */
  readonly repeatedMember: readonly string[] | null;
  /** Whether some member is named `__proto__`. */
  readonly hasPrototypeMember: boolean;
}

const tokens = /"[^"\\]*(?:\\.[^"\\]*)*"(\s*:)?|[{}[\]]/gu;

/**
 * What `JSON.parse` does not tell: how deep a text is nested and whether a member is given twice (RFC 8259 §4
 * leaves open which one counts, so two readers may disagree). `text` must be valid JSON. Never throws on that.
 */
export function inspectJson(text: string): JsonShape {
  const open: { readonly members: Set<string>; last: string }[] = [];
  let depth = 0;
  let repeatedMember: readonly string[] | null = null;
  let hasPrototypeMember = false;
  for (const [token, colon] of text.matchAll(tokens)) {
    if (token === "{" || token === "[") {
      open.push({ members: new Set(), last: "" });
      depth = Math.max(depth, open.length);
    } else if (token === "}" || token === "]") {
      open.pop();
    } else if (colon !== undefined) {
      const innermost = open.at(-1);
      const name = String(JSON.parse(token.slice(0, -colon.length)));
      if (innermost?.members.has(name)) repeatedMember ??= [...open.slice(0, -1).map((o) => o.last), name];
      hasPrototypeMember ||= name === "__proto__";
      innermost?.members.add(name);
      if (innermost) innermost.last = name;
    }
  }
  return { depth, repeatedMember, hasPrototypeMember };
}
