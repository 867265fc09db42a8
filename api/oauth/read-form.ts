import type { IncomingMessage } from "node:http";
import { readBytes } from "../middleware/read-body.ts";
import { OauthError } from "./oauth-error.ts";

export type Form = ReadonlyMap<string, string>;

/**
 * The parameters of a body in `application/x-www-form-urlencoded`. None may come twice, and one without a value counts
 * as left out (RFC 6749 §3.2); who asks for none of a name ignores it. Throws an `OauthError`, or as `readBytes`.
 */
export async function readForm(request: IncomingMessage): Promise<Form> {
  const bytes = await readBytes(request);
  if (bytes.length === 0) return new Map();
  if (!isForm(request.headers["content-type"])) {
    throw new OauthError("invalid_request", "Send the body as application/x-www-form-urlencoded in UTF-8.");
  }
  const form = new Map<string, string>();
  const names = new Set<string>();
  for (const pair of decodeUtf8(bytes).split("&")) {
    const at = pair.indexOf("=");
    const name = decodeFormPart(at === -1 ? pair : pair.slice(0, at));
    const value = at === -1 ? "" : decodeFormPart(pair.slice(at + 1));
    if (names.has(name)) throw new OauthError("invalid_request", "A parameter is given more than once.");
    names.add(name);
    if (value !== "") form.set(name, value);
  }
  return form;
}

/** Throws an `OauthError` when there is none. */
export function requireParameter(form: Form, name: string): string {
  const value = form.get(name);
  if (value === undefined) throw new OauthError("invalid_request", `The parameter ${name} is missing.`);
  return value;
}

/** Throws an `OauthError`. */
export function decodeFormPart(text: string): string {
  try {
    return decodeURIComponent(text.replaceAll("+", " "));
  } catch (error) {
    if (!(error instanceof URIError)) throw error;
    throw new OauthError("invalid_request", "What is percent-encoded must be UTF-8.");
  }
}

function isForm(header: string | undefined): boolean {
  const [type, ...parameters] = (header ?? "").split(";").map((part) => part.trim().toLowerCase());
  const isUtf8 = parameters.every((parameter) => parameter === "" || /^charset="?utf-8"?$/.test(parameter));
  return type === "application/x-www-form-urlencoded" && isUtf8;
}

function decodeUtf8(bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    throw new OauthError("invalid_request", "The body must be UTF-8.");
  }
}
