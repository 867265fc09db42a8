import type { IncomingMessage } from "node:http";
import getRawBody from "raw-body";
import { AppError } from "../../shared/errors.ts";
import { parseStrictJson } from "../../shared/strict-json.ts";

const bodyLimit = 16 * 1024;

/**
 * The request's body as strict JSON. `undefined` when there is none, which needs no content type.
 * Throws `unsupported-media-type`, `request-too-large`, `body-malformed` or `validation-failed`.
 */
export async function readBody(request: IncomingMessage): Promise<unknown> {
  const length = request.headers["content-length"];
  const isChunked = request.headers["transfer-encoding"] !== undefined;
  if (!isChunked) {
    if (length === undefined || length === "0") return undefined;
    checkContentType(request.headers["content-type"]);
  }
  const bytes = await readBytes(request);
  if (bytes.length === 0) return undefined;
  checkContentType(request.headers["content-type"]);
  const reading = parseStrictJson(bytes);
  if (reading.ok) return reading.value;
  const { kind, detail } = reading.fault;
  if (kind === "ambiguous") {
    throw new AppError("validation-failed", `The body is ambiguous: ${detail}.`, {
      errors: [{ pointer: "", detail }],
    });
  }
  throw new AppError("body-malformed", `The body must be a JSON object in UTF-8, but ${detail}.`);
}

/** RFC 8259 §8.1: JSON is UTF-8; a charset that says otherwise is refused. */
function checkContentType(header: string | undefined): void {
  const [type = "", ...parameters] = (header ?? "").split(";").map((part) => part.trim().toLowerCase());
  const isUtf8 = parameters.every((parameter) => parameter === "" || /^charset="?utf-8"?$/.test(parameter));
  if (type === "application/json" && isUtf8) return;
  throw new AppError("unsupported-media-type", "Send the body as application/json in UTF-8.");
}

/** Throws `unsupported-media-type`, `request-too-large` or `request-malformed`. */
export async function readBytes(request: IncomingMessage): Promise<Uint8Array> {
  if (request.headers["content-encoding"] !== undefined) {
    throw new AppError("unsupported-media-type", "Send the body without a content encoding.");
  }
  try {
    return await getRawBody(request, { limit: bodyLimit, length: request.headers["content-length"] ?? null });
  } catch (cause) {
    const type = cause instanceof Error && "type" in cause ? cause.type : undefined;
    if (type === "entity.too.large") {
      // The rest is read and dropped: a client that is still sending would not see an answer that breaks it off.
      request.resume();
      throw new AppError("request-too-large", `The body may have at most ${bodyLimit} bytes.`);
    }
    throw new AppError("request-malformed", "The body ended before its announced length.", { cause });
  }
}
