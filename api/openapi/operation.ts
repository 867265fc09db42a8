import type { z } from "zod";
import type { ErrorCode } from "../../shared/errors.ts";
import type { Caller } from "./callers.ts";
import type { HeaderName } from "./headers.ts";
import type { PathParameter } from "./path-parameters.ts";

/** What can be called at one method and path. The documents at `/openapi.json` and `/docs` are made of these. */
export interface Operation {
  readonly method: "get" | "post" | "put" | "patch" | "delete";
  /** As the router has it: `/users/:id`. What each parameter is stands in path-parameters.ts. */
  readonly path: string;
  /** The parameters of the path that are not what path-parameters.ts says of their name. */
  readonly ids?: Readonly<Record<string, PathParameter>>;
  /** Unique, in camel case: clients that are generated call their function so. */
  readonly id: string;
  readonly tag: Tag;
  readonly summary: string;
  readonly description?: string;
  readonly caller: Caller;
  /** The schema that the route validates its query by; left out where a route looks at none. */
  readonly query?: z.ZodObject;
  readonly body?: Body;
  readonly requestHeaders?: readonly HeaderName[];
  readonly answers: Readonly<Record<number, Answer>>;
  /** Those that follow from the caller, the query, the body or the path are added: implied-problems.ts. */
  readonly problems?: readonly ErrorCode[];
}

export const tags = {
  Sessions: "Signing in, staying signed in, signing out.",
  Account: "What a signed-in user sees of himself.",
  Users: "The administration of users. A deactivated user's tokens are refused by every instance.",
  OAuth:
    "For services: tokens of their own, and the revocation and introspection of others' (RFC 7009, 7662).",
  Revocations: "Tokens that were ended before their time, and the receipts: who enforces that, since when.",
  Service: "For those who run it: keys, health, metrics, and this description.",
} as const;
export type Tag = keyof typeof tags;

/** A schema that is shown under a name, with a value that fits it. */
export interface Named {
  readonly name: string;
  readonly schema: z.ZodType;
  readonly example: unknown;
}

export interface Body {
  readonly contentType: string;
  readonly content: Named;
  /** What it may be sent as instead. */
  readonly other?: { readonly contentType: string; readonly content: Named };
  /** Whether a call without a body is answered as one with an empty object. */
  readonly isOptional: boolean;
}

export interface Answer {
  readonly description: string;
  readonly contentType?: string;
  /** None where it is a text whose form is described in words. */
  readonly content?: Named;
  readonly headers: readonly HeaderName[];
  /** In place of that of `content`. */
  readonly example?: unknown;
}

export function named<T>(
  name: string,
  schema: z.ZodType<T>,
  example: NoInfer<z.input<typeof schema>>,
): Named {
  return { name, schema, example };
}

/** A JSON body that is validated by `schema`. */
export function jsonBody(name: string, schema: z.ZodType, example: unknown): Body {
  const isOptional = schema.safeParse({}).success;
  return { contentType: "application/json", content: { name, schema, example }, isOptional };
}

export function json(description: string, content: Named, options: Partial<Answer> = {}): Answer {
  return { description, contentType: "application/json", content, headers: [], ...options };
}

export function text(description: string, contentType: string, options: Partial<Answer> = {}): Answer {
  return { description, contentType, headers: [], ...options };
}

export function nothing(description: string, headers: readonly HeaderName[] = []): Answer {
  return { description, headers };
}
