import { createHash } from "node:crypto";
import { allOperations } from "./all-operations.ts";
import { createDocument } from "./create-document.ts";
import { renderPage } from "./page/render-page.ts";
import { style } from "./page/style.ts";
import { apiVersion } from "./version.ts";

export interface Publication {
  readonly body: string;
  /** A strong validator (RFC 9110 §8.8.3). */
  readonly etag: string;
}

export interface Documentation {
  readonly forPrograms: Publication;
  readonly forPeople: Publication;
}

/** What describes the API; the same for every instance of this version. */
export function createDocumentation(): Documentation {
  const document = createDocument(allOperations, apiVersion);
  return { forPrograms: publish(JSON.stringify(document)), forPeople: publish(renderPage(document)) };
}

function publish(body: string): Publication {
  return { body, etag: `"${sha256(body).slice(0, 22)}"` };
}

/** The page may use the one style that stands in it, and nothing else: no script, no frame, no other host. */
export const pagePolicy = [
  "default-src 'none'",
  `style-src 'sha256-${sha256(style)}'`,
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join("; ");

function sha256(text: string): string {
  return createHash("sha256").update(text).digest("base64");
}
