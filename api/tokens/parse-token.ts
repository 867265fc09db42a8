import { isUtf8 } from "node:buffer";
import { AppError } from "../../shared/errors.ts";
import { type JsonBounds, parseBoundedObject } from "./bounded-json.ts";

export interface ParsedToken {
  readonly header: Readonly<Record<string, unknown>>;
  readonly headerBytes: number;
  readonly claims: Readonly<Record<string, unknown>>;
  readonly hasRepeatedClaim: boolean;
  /** Whether a control character or half a surrogate pair stands somewhere in the claims, also in those that nobody reads. */
  readonly hasHiddenCharacter: boolean;
  /** Whether the claims have more members and entries than any token that this service issues. */
  readonly isCrowded: boolean;
  readonly signature: Uint8Array;
}

export const maxTokenLength = 8192;
/** Far above what any token needs, and so low that the costliest one to refuse costs no more than two to accept. */
const headerBounds: JsonBounds = { depth: 16, members: 16, marks: 64 };
const payloadBounds: JsonBounds = { depth: 16, members: 64, marks: 600 };
const crowdedMarks = 200;

/**
 * Takes a compact JWS apart, so strictly that no two texts stand for one token: canonical base64url (RFC 7515 §2),
 * UTF-8 without a byte order mark, JSON objects. Says nothing about who made it. Throws `token-too-large`,
 * `token-malformed` or, for a header with more than any header needs, `header-rejected`.
 */
export function parseToken(token: string): ParsedToken {
  if (token.length > maxTokenLength) {
    throw new AppError("token-too-large", `An access token has at most ${maxTokenLength} characters.`);
  }
  const { header: first, payload: second, signature: third } = splitToken(token);
  const headerBytes = decodePart(first, "header");
  const header = parseObject(headerBytes, "header", headerBounds);
  if (header.hasRepeatedMember) throw malformed("Its header has a member twice.");
  const payload = parseObject(decodePart(second, "payload"), "payload", payloadBounds);
  return {
    header: header.members,
    headerBytes: headerBytes.length,
    claims: payload.members,
    hasRepeatedClaim: payload.hasRepeatedMember,
    hasHiddenCharacter: payload.hasHiddenCharacter,
    isCrowded: payload.marks > crowdedMarks,
    signature: decodePart(third, "signature"),
  };
}

function splitToken(token: string): { header: string; payload: string; signature: string } {
  const firstDot = token.indexOf(".");
  const secondDot = token.indexOf(".", firstDot + 1);
  if (firstDot === -1 || secondDot === -1 || token.includes(".", secondDot + 1)) {
    throw malformed("It must have three parts, separated by dots.");
  }
  return {
    header: token.slice(0, firstDot),
    payload: token.slice(firstDot + 1, secondDot),
    signature: token.slice(secondDot + 1),
  };
}

function decodePart(part: string, name: string): Buffer {
  const bytes = Buffer.from(part, "base64url");
  if (bytes.toString("base64url") !== part) throw malformed(`Its ${name} is not canonical base64url.`);
  return bytes;
}

function parseObject(bytes: Buffer, name: "header" | "payload", bounds: JsonBounds) {
  const parsed = parseJson(bytes, name, bounds);
  if (parsed.kind === "object") return parsed;
  if (parsed.kind === "no-object") throw malformed(`Its ${name} is not a JSON object.`);
  if (parsed.kind === "too-deep") throw malformed(`Its ${name} is nested too deep.`);
  if (name === "payload") throw malformed("Its payload has too many members or entries.");
  throw new AppError("header-rejected", "The token's header may have alg, typ and kid, and nothing else.");
}

function parseJson(bytes: Buffer, name: string, bounds: JsonBounds) {
  // A byte order mark is no JSON, and stays one in the text.
  if (!isUtf8(bytes)) throw notJson(name, "invalid UTF-8");
  try {
    return parseBoundedObject(bytes.toString("utf8"), bounds);
  } catch (cause) {
    // The parser quotes what it read: only its kind may travel on.
    throw notJson(name, cause instanceof Error ? cause.name : undefined);
  }
}

function notJson(name: string, cause: string | undefined): AppError {
  return new AppError(
    "token-malformed",
    `The access token is malformed. Its ${name} is not JSON in UTF-8.`,
    cause === undefined ? {} : { cause },
  );
}

function malformed(why: string): AppError {
  return new AppError("token-malformed", `The access token is malformed. ${why}`);
}
