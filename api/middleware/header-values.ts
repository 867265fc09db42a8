import type { IncomingMessage } from "node:http";

/**
 * Each value that a header was sent with: `headers` keeps only the first, or joins them. Reads the few names as they
 * came; `headersDistinct` would sort all of them for one. `name` is in lower case.
 */
export function headerValues({ rawHeaders }: Pick<IncomingMessage, "rawHeaders">, name: string): string[] {
  const values: string[] = [];
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
    const sent = rawHeaders[at] ?? "";
    if (sent.length === name.length && sent.toLowerCase() === name) values.push(rawHeaders[at + 1] ?? "");
  }
  return values;
}
