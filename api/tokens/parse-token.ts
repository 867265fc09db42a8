import { AppError } from "../../shared/errors.ts";
import { inspectJson } from "../../shared/json-shape.ts";

export interface ParsedToken {
  readonly header: Readonly<Record<string, unknown>>;
  readonly headerBytes: number;
  readonly claims: Readonly<Record<string, unknown>>;
  readonly hasRepeatedClaim: boolean;
  readonly signature: Uint8Array;
}

export const maxTokenLength = 8192;
const maxDepth = 16;
const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/**
 * Takes a compact JWS apart, so strictly that no two texts stand for one token: canonical base64url (RFC 7515 §2),
 * UTF-8 without a byte order mark, JSON objects. Says nothing about who made it. Throws `token-too-large` or
 * `token-malformed`.
 */
export function parseToken(token: string): ParsedToken {
  if (token.length > maxTokenLength) {
    throw new AppError("token-too-large", `An access token has at most ${maxTokenLength} characters.`);
  }
  const [first, second, third, ...more] = token.split(".");
  if (first === undefined || second === undefined || third === undefined || more.length > 0) {
    throw malformed("It must have three parts, separated by dots.");
  }
  const headerBytes = decodePart(first, "header");
  const header = decodeObject(headerBytes, "header");
  const payload = decodeObject(decodePart(second, "payload"), "payload");
  if (header.repeatedMember) throw malformed("Its header has a member twice.");
  return {
    header: header.members,
    headerBytes: headerBytes.length,
    claims: payload.members,
    hasRepeatedClaim: payload.repeatedMember !== null,
    signature: decodePart(third, "signature"),
  };
}

function decodePart(part: string, name: string): Buffer {
  const bytes = Buffer.from(part, "base64url");
  if (bytes.toString("base64url") !== part) throw malformed(`Its ${name} is not canonical base64url.`);
  return bytes;
}

function decodeObject(bytes: Uint8Array, name: string) {
  const { text, value } = decodeJson(bytes, name);
  if (!isObject(value)) throw malformed(`Its ${name} is not a JSON object.`);
  const { depth, repeatedMember } = inspectJson(text);
  if (depth > maxDepth) throw malformed(`Its ${name} is nested too deep.`);
  return { members: value, repeatedMember };
}

function decodeJson(bytes: Uint8Array, name: string): { text: string; value: unknown } {
  try {
    const text = utf8.decode(bytes);
    return { text, value: JSON.parse(text) };
  } catch (cause) {
    throw new AppError(
      "token-malformed",
      `The access token is malformed. Its ${name} is not JSON in UTF-8.`,
      {
        // The parser quotes what it read: only its kind may travel on.
        cause: cause instanceof Error ? cause.name : undefined,
      },
    );
  }
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function malformed(why: string): AppError {
  return new AppError("token-malformed", `The access token is malformed. ${why}`);
}
