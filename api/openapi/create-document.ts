import { type ErrorCode, errorTable } from "../../shared/errors.ts";
import { callers, securitySchemes } from "./callers.ts";
import { type HeaderDescription, headers } from "./headers.ts";
import { headersOf } from "./implied-headers.ts";
import { problemsOf } from "./implied-problems.ts";
import { jsonSchemasOf, parameterSchemasOf, referenceTo } from "./json-schemas.ts";
import { type Answer, type Body, type Named, type Operation, tags } from "./operation.ts";
import { pathParameters } from "./path-parameters.ts";
import {
  createProblemAnswers,
  headerReferences,
  problem,
  problemExamples,
  problemHeaders,
} from "./problem-answers.ts";

type Json = Readonly<Record<string, unknown>>;
type ProblemAnswers = ReturnType<typeof createProblemAnswers>;

/** OpenAPI 3.1. */
export interface OpenApiDocument {
  readonly openapi: "3.1.1";
  readonly info: { readonly title: string; readonly version: string; readonly description: string } & Json;
  readonly servers: readonly Json[];
  readonly tags: readonly { readonly name: string; readonly description: string }[];
  readonly paths: Readonly<Record<string, Readonly<Record<string, Json>>>>;
  readonly components: Readonly<Record<string, Readonly<Record<string, Json>>>>;
}

const description = `Bodies are JSON in snake_case, times are RFC 3339. Query parameters and members that are not
described here are refused. Every error is a problem (RFC 9457), whose type can be fetched to read what to do.

A GET can be called as HEAD too, which is answered without the body. OPTIONS is answered on every path with 204 and
Allow; any other method with 405, the problem \`method-not-allowed\` and Allow; any other path with 404 and the problem
\`not-found\`.

Every answer carries the headers that keep browsers from misusing it: Content-Security-Policy,
Cross-Origin-Opener-Policy, Cross-Origin-Resource-Policy, Origin-Agent-Cluster, Referrer-Policy,
Strict-Transport-Security, X-Content-Type-Options, X-DNS-Prefetch-Control, X-Download-Options, X-Frame-Options,
X-Permitted-Cross-Domain-Policies and X-XSS-Protection.`;

/** Throws a `TypeError` that says what to add where an operation is described by half. */
export function createDocument(operations: readonly Operation[], version: string): OpenApiDocument {
  const sent = operations.flatMap(({ body }) => bodyContentsOf(body).map(({ content }) => content));
  const received = operations.flatMap(({ answers }) =>
    Object.values(answers).flatMap(({ content }) => content ?? []),
  );
  const slugs = new Set(operations.flatMap(problemsOf));
  const problemAnswers = createProblemAnswers();
  const paths: Record<string, Record<string, Json>> = {};
  for (const operation of operations) {
    const path = (paths[templateOf(operation.path)] ??= {});
    path[operation.method] = describe(operation, problemAnswers);
  }
  return {
    openapi: "3.1.1",
    info: { title: "Quash", version, description, license: { name: "MIT", identifier: "MIT" } },
    servers: [{ url: "/" }],
    tags: Object.entries(tags).map(([name, about]) => ({ name, description: about })),
    paths,
    components: {
      schemas: merge(jsonSchemasOf(sent, "input"), jsonSchemasOf([...received, problem], "output")),
      responses: problemAnswers.components,
      headers: usedHeaders(operations),
      securitySchemes,
      examples: problemExamples([...slugs]) as Record<string, Json>,
    },
  };
}

/** Those that answers have. */
function usedHeaders(operations: readonly Operation[]): Record<string, Json> {
  const used = new Set<string>([
    ...problemHeaders,
    ...operations.flatMap((operation) => headersOf(operation).answer),
    ...operations.flatMap(({ answers }) => Object.values(answers).flatMap((answer) => answer.headers)),
  ]);
  return Object.fromEntries(
    Object.entries<HeaderDescription>(headers)
      .filter(([name]) => used.has(name))
      .map(([name, { isOptional = false, ...header }]) => [name, { required: !isOptional, ...header }]),
  );
}

/** `/users/:id` as OpenAPI has it: `/users/{id}`. */
export function templateOf(path: string): string {
  return path.replaceAll(/:(\w+)/g, "{$1}");
}

function describe(operation: Operation, problemAnswers: ProblemAnswers): Json {
  const { id, tag, summary, description, caller, body } = operation;
  return {
    operationId: id,
    tags: [tag],
    summary,
    description: [description, callers[caller].description].filter(Boolean).join("\n\n"),
    security: callers[caller].security,
    parameters: parametersOf(operation),
    ...(body && { requestBody: requestBodyOf(body) }),
    responses: responsesOf(operation, problemAnswers),
  };
}

function parametersOf(operation: Operation): Json[] {
  const { path, ids = {}, query } = operation;
  const inPath = [...path.matchAll(/:(\w+)/g)].map(([, name = ""]) => {
    const parameter = ids[name] ?? pathParameters[name];
    if (parameter === undefined) throw new TypeError(`path-parameters.ts lacks ${name}, which ${path} has`);
    return { name, in: "path", required: true, ...parameter };
  });
  const inQuery = Object.entries(query === undefined ? {} : parameterSchemasOf(query)).map(
    ([name, { description: about, ...schema }]) => ({
      name,
      in: "query",
      required: false,
      ...(about === undefined ? {} : { description: about }),
      schema,
    }),
  );
  const inHeaders = headersOf(operation).request.map((name) => {
    const { description: about, schema, example } = headers[name];
    return { name, in: "header", required: false, description: about, schema, example };
  });
  return [...inPath, ...inQuery, ...inHeaders];
}

function requestBodyOf(body: Body): Json {
  const contents = bodyContentsOf(body).map(({ contentType, content: { name, example } }) => [
    contentType,
    { schema: { $ref: referenceTo(name) }, example },
  ]);
  return { required: !body.isOptional, content: Object.fromEntries(contents) };
}

function bodyContentsOf(body: Body | undefined) {
  return body === undefined ? [] : [body, ...(body.other === undefined ? [] : [body.other])];
}

function responsesOf(operation: Operation, problemAnswers: ProblemAnswers): Json {
  const responses = new Map(
    Object.entries(operation.answers).map(([status, answer]) => [
      Number(status),
      responseOf(answer, operation),
    ]),
  );
  for (const [status, slugs] of groupByStatus(problemsOf(operation))) {
    const problems = problemAnswers.referenceTo(status, slugs);
    const known = responses.get(status);
    responses.set(status, known === undefined ? problems : withProblems(known, problems, problemAnswers));
  }
  const sorted = [...responses].toSorted(([one], [other]) => one - other);
  return Object.fromEntries(sorted.map(([status, response]) => [String(status), response]));
}

/** Of a status that an operation gives a meaning of its own: what it is when a problem comes first. */
function withProblems(response: Json, reference: Json, { components }: ProblemAnswers): Json {
  const problems = components[String(reference["$ref"]).replace("#/components/responses/", "")];
  return {
    ...response,
    description: `${String(response["description"])}\n\nOr a problem:\n${String(problems?.["description"])}`,
    content: { ...Object(response["content"]), ...Object(problems?.["content"]) },
  };
}

function responseOf(answer: Answer, operation: Operation): Json {
  const { description, contentType, content, example } = answer;
  return {
    description,
    headers: headerReferences([...headersOf(operation).answer, ...answer.headers]),
    ...(contentType !== undefined && {
      content: {
        [contentType]: { ...schemaOf(contentType, content), example: example ?? content?.example },
      },
    }),
  };
}

/** Of a stream there is none: readers take it for that of one event. */
function schemaOf(contentType: string, content: Named | undefined): Json {
  if (content !== undefined) return { schema: { $ref: referenceTo(content.name) } };
  return contentType === "text/event-stream" ? {} : { schema: { type: "string" } };
}

function groupByStatus(slugs: readonly ErrorCode[]): Map<number, ErrorCode[]> {
  const groups = new Map<number, ErrorCode[]>();
  for (const slug of slugs) {
    const { status } = errorTable[slug];
    groups.set(status, [...(groups.get(status) ?? []), slug]);
  }
  return groups;
}

function merge(sent: Record<string, Json>, received: Record<string, Json>): Record<string, Json> {
  const twice = Object.keys(sent).filter((name) => Object.hasOwn(received, name));
  if (twice.length > 0) throw new TypeError(`${twice.join(", ")}: sent and received under one name`);
  return { ...sent, ...received };
}
