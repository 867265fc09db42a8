import { Ajv2020 } from "ajv/dist/2020.js";
import formats from "ajv-formats";
import { allOperations } from "../../api/openapi/all-operations.ts";
import { createDocument } from "../../api/openapi/create-document.ts";
import { callableAs, matchOperation } from "./match-operation.ts";

/** An answer as it came, and what it answers. */
export interface GivenAnswer {
  readonly method: string;
  /** With or without a query. */
  readonly path: string;
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
}

type Json = Readonly<Record<string, unknown>>;

const document = createDocument(allOperations, "0.0.0");
const ajv = new Ajv2020({ strict: false, allErrors: true });
formats.default(ajv);
ajv.addSchema(document, "document");

/** Not part of the description: of the connection, of the content as such, and those that info.description lists. */
const unlisted = new Set([
  "allow",
  "connection",
  "content-length",
  "content-type",
  "date",
  "keep-alive",
  "vary",
]);
/** Where calls of other origins' pages are allowed: for the browser, which hides them. */
const ofOtherOrigins = "access-control-";
const listedForAll = document.info.description.toLowerCase();

/**
 * Throws where the OpenAPI document does not have an answer: its status, its problem, its content type, a header, or its
 * shape.
 */
export function expectDescribed(answer: GivenAnswer): void {
  const faults = faultsOf(answer);
  if (faults.length === 0) return;
  const { method, path, status, text } = answer;
  throw new Error(
    `${method} ${path} answered ${status}, which the OpenAPI document does not describe; see api/openapi/all-operations.ts:\n` +
      `${faults.map((fault) => `- ${fault}`).join("\n")}\n${text.slice(0, 1_000)}`,
  );
}

function faultsOf(answer: GivenAnswer): string[] {
  const path = pathIn(answer.path);
  const method = answer.method === "HEAD" ? "get" : answer.method.toLowerCase();
  const template = matchOperation(allOperations, method, path);
  if (template === undefined)
    return faultsWithoutOperation(answer, callableAs(allOperations, path).length > 0);
  const place = `/paths/${escape(template)}/${method}/responses/${answer.status}`;
  const described = lookUp(place);
  if (described === undefined) return [`the operation has no status ${answer.status}`];
  const at = typeof described["$ref"] === "string" ? described["$ref"].slice(1) : place;
  const response = lookUp(at) ?? {};
  return [...headerFaults(answer, Object(response["headers"])), ...contentFaults(answer, response, at)];
}

/** No such path, no such method, or refused before it was looked for. */
function faultsWithoutOperation({ method, status, text }: GivenAnswer, isKnownPath: boolean): string[] {
  if (method === "OPTIONS" && status === 204) return [];
  if (method === "HEAD") return [];
  const isProblem = ajv.validate({ $ref: "document#/components/schemas/Problem" }, parse(text));
  if (!isProblem) return [`not a problem: ${ajv.errorsText()}`];
  const expected = isKnownPath ? "405, and not 404" : "404, and not 405";
  return status === (isKnownPath ? 404 : 405) ? [`the status should be ${expected}`] : [];
}

function headerFaults({ headers }: GivenAnswer, described: Json): string[] {
  const names = Object.keys(described).map((name) => name.toLowerCase());
  const missing = Object.keys(described)
    .filter((name) => lookUp(`/components/headers/${name}`)?.["required"] === true && !headers.has(name))
    .map((name) => `the header ${name.toLowerCase()} is missing`);
  const surplus = [...headers.keys()]
    .filter((name) => !unlisted.has(name) && !names.includes(name) && !listedForAll.includes(name))
    .filter((name) => !name.startsWith(ofOtherOrigins))
    .map((name) => `the header ${name} is not described`);
  return [...missing, ...surplus];
}

function contentFaults({ method, headers, text }: GivenAnswer, response: Json, at: string): string[] {
  const contents: Json = Object(response["content"]);
  const type = headers.get("content-type")?.split(";")[0];
  if (type === undefined)
    return Object.keys(contents).length === 0 || method === "HEAD" ? [] : ["no content"];
  if (!Object.hasOwn(contents, type)) return [`the content type ${type} is not described`];
  if (method === "HEAD") return [];
  const schema = { $ref: `document#${encodeURI(`${at}/content/${escape(type)}/schema`)}` };
  const validate = ajv.getSchema(schema.$ref) ?? ajv.compile(schema);
  if (validate(type.endsWith("json") ? parse(text) : text)) return [];
  return (validate.errors ?? []).map(
    ({ instancePath, message }) => `${instancePath || "the body"} ${message}`,
  );
}

/** Of a target in origin or absolute form. */
function pathIn(target: string): string {
  return target.replace(/^https?:\/\/[^/?#]*/, "").split(/[?#]/)[0] ?? "";
}

function lookUp(pointer: string): Json | undefined {
  let found: unknown = document;
  for (const part of pointer.split("/").slice(1))
    found = Object(found)[part.replaceAll("~1", "/").replaceAll("~0", "~")];
  return typeof found === "object" && found !== null ? { ...found } : undefined;
}

/** RFC 6901. */
function escape(name: string): string {
  return name.replaceAll("~", "~0").replaceAll("/", "~1");
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
