import { z } from "zod";
import { type ErrorCode, errorTable } from "../../shared/errors.ts";
import { problemContentType } from "../problem.ts";
import { explanations } from "../problems/explanations.ts";
import { ids } from "./example-ids.ts";
import type { HeaderName } from "./headers.ts";
import { type JsonSchema, referenceTo } from "./json-schemas.ts";
import { type Named, named } from "./operation.ts";

export const problem: Named = named(
  "Problem",
  z.strictObject({
    type: z.string().meta({ description: "/problems/ and the slug; it can be fetched." }),
    title: z.string(),
    status: z.int(),
    detail: z.string().meta({ description: "What to change." }),
    instance: z.string().meta({ description: "The path that was called." }),
    request_id: z.string().meta({ description: "What the log of the service calls this request." }),
    errors: z
      .array(z.strictObject({ pointer: z.string(), detail: z.string() }))
      .optional()
      .meta({ description: "Each place in the request that is wrong (RFC 6901)." }),
  }),
  exampleOf("validation-failed"),
);

/**
 * The refusals of one status: which slugs there are, each with an example. Most operations share them, so each stands
 * once, among the components, under the name of its status and a number where there are several.
 */
export function createProblemAnswers() {
  const components: Record<string, JsonSchema> = {};
  const byContent = new Map<string, { readonly $ref: string }>();
  const numbers = new Map<number, number>();

  return {
    components,
    referenceTo(status: number, slugs: readonly ErrorCode[]): { readonly $ref: string } {
      const key = slugs.toSorted(byText).join();
      const known = byContent.get(key);
      if (known !== undefined) return known;
      const number = (numbers.get(status) ?? 0) + 1;
      numbers.set(status, number);
      const name = `Problem${status}${number === 1 ? "" : `.${number}`}`;
      components[name] = describe(status, slugs);
      const reference = { $ref: `#/components/responses/${name}` };
      byContent.set(key, reference);
      return reference;
    },
  };
}

function describe(status: number, slugs: readonly ErrorCode[]): JsonSchema {
  const types = slugs.map((slug) => `/problems/${slug}`);
  const examples = slugs.map((slug) => [slug, { $ref: `#/components/examples/${slug}` }]);
  return {
    description: slugs.map((slug) => `- \`${slug}\`: ${errorTable[slug].title}.`).join("\n"),
    headers: headersOf(status),
    content: {
      [problemContentType]: {
        schema: {
          allOf: [
            { $ref: referenceTo(problem.name) },
            { properties: { type: { enum: types }, status: { const: status } } },
          ],
        },
        examples: Object.fromEntries(examples),
      },
    },
  };
}

const byText = (one: string, other: string) => (one < other ? -1 : 1);

export function problemExamples(slugs: readonly ErrorCode[]): Record<string, unknown> {
  return Object.fromEntries(
    slugs.map((slug) => [slug, { summary: errorTable[slug].title, value: exampleOf(slug) }]),
  );
}

function exampleOf(slug: ErrorCode) {
  const { status, title, expose } = errorTable[slug];
  return {
    type: `/problems/${slug}`,
    title,
    status,
    detail: expose ? explanations[slug] : title,
    instance: "/users",
    request_id: ids.request,
    ...(slug === "validation-failed" && { errors: [{ pointer: "/email", detail: "is missing" }] }),
  };
}

function headersOf(status: number): Record<string, unknown> {
  return headerReferences(["X-Request-Id", "Cache-Control", ...(ofStatus[status] ?? [])]);
}

const ofStatus: Readonly<Record<number, readonly HeaderName[]>> = {
  401: ["WWW-Authenticate", "RateLimit", "RateLimit-Policy"],
  403: ["WWW-Authenticate"],
  409: ["Idempotency-Replayed", "Retry-After"],
  429: ["Retry-After", "RateLimit", "RateLimit-Policy"],
  503: ["Retry-After"],
};

/** All that a problem may have. */
export const problemHeaders: readonly HeaderName[] = ["Cache-Control", ...Object.values(ofStatus).flat()];

export function headerReferences(names: readonly string[]): Record<string, unknown> {
  return Object.fromEntries(names.map((name) => [name, { $ref: `#/components/headers/${name}` }]));
}
