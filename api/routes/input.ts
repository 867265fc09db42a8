import type { z } from "zod";
import { AppError } from "../../shared/errors.ts";
import { readBody } from "../middleware/read-body.ts";
import { type Context, checkAgain } from "../request-state.ts";
import { uuidPattern } from "./patterns.ts";

/** An answer must not be many times as long as what it answers. */
const problemsShown = 16;
const pointerLength = 128;

/**
 * The body by its schema; it may be left out where the schema takes an empty object. Once it has come, however slowly,
 * the request has to pass what guards the route again.
 */
export async function readInput<T>(ctx: Context, schema: z.ZodType<T>): Promise<T> {
  const body = await readBody(ctx.req);
  checkAgain(ctx);
  if (isObject(body)) return validate(body, schema);
  const withoutBody = schema.safeParse({});
  if (body === undefined && withoutBody.success) return withoutBody.data;
  throw new AppError("body-malformed", "The body must be a JSON object.");
}

/** Query parameters are as strict as bodies: unknown ones and repeats are refused too. */
export function readQuery<T>(ctx: Pick<Context, "querystring">, schema: z.ZodType<T>): T {
  const given: Record<string, string> = {};
  for (const [name, value] of new URLSearchParams(ctx.querystring)) {
    if (Object.hasOwn(given, name))
      throw failed([{ pointer: pointerTo([name]), detail: "is given more than once" }]);
    Object.defineProperty(given, name, { value, enumerable: true });
  }
  return validate(given, schema);
}

/** An id in the path that cannot be one names nothing. */
export function readId(ctx: { readonly params: Readonly<Record<string, string>> }, name: string): string {
  const id = ctx.params[name] ?? "";
  if (!uuidPattern.test(id)) throw new AppError("not-found", `There is nothing of this ${name}.`);
  return id;
}

function validate<T>(value: unknown, schema: z.ZodType<T>): T {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  // Of several faults at one place the last ones follow from the first.
  const byPointer = new Map(
    result.error.issues
      .flatMap(problemsOf)
      .map((problem) => [problem.pointer, problem] as const)
      .toReversed(),
  );
  throw failed([...byPointer.values()].toReversed().slice(0, problemsShown));
}

function problemsOf(issue: z.core.$ZodIssue): { pointer: string; detail: string }[] {
  if (issue.code !== "unrecognized_keys")
    return [{ pointer: pointerTo(issue.path), detail: sentenceOf(issue) }];
  return issue.keys.map((key) => ({
    pointer: pointerTo([...issue.path, key]),
    detail: "is not a member of this",
  }));
}

/** What is to be changed, in words that need no knowledge of the schema's library. */
function sentenceOf(issue: z.core.$ZodIssue): string {
  if (issue.code === "invalid_type") {
    if (issue.message.endsWith("received undefined")) return "is missing";
    return `must be ${/^[aeio]/.test(issue.expected) ? "an" : "a"} ${issue.expected}`;
  }
  if (issue.code === "too_small") return `must have at least ${issue.minimum} ${unitOf(issue.origin)}`;
  if (issue.code === "too_big") return `must have at most ${issue.maximum} ${unitOf(issue.origin)}`;
  if (issue.code === "invalid_value") return `must be one of ${issue.values.map(String).join(", ")}`;
  return issue.message;
}

function unitOf(origin: string): string {
  return origin === "string" ? "characters" : "entries";
}

/** RFC 6901. */
function pointerTo(path: readonly PropertyKey[]): string {
  const parts = path.map((part) => `/${String(part).replaceAll("~", "~0").replaceAll("/", "~1")}`);
  return parts.join("").slice(0, pointerLength);
}

function failed(errors: readonly { pointer: string; detail: string }[]): AppError {
  const sentence = errors.map(({ pointer, detail }) => `${pointer || "the body"}: ${detail}`).join("; ");
  return new AppError("validation-failed", `${sentence}.`, { errors });
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
