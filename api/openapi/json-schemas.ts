import { z } from "zod";
import type { Named } from "./operation.ts";

export type JsonSchema = Readonly<Record<string, unknown>>;
export type JsonSchemas = Readonly<Record<string, JsonSchema>>;

export const referenceTo = (name: string): string => `#/components/schemas/${name}`;

/**
 * The JSON Schemas (draft 2020-12) of what callers send (`input`) or receive (`output`), by name; one that contains
 * another refers to it. Throws a `TypeError` where two go by one name.
 */
export function jsonSchemasOf(all: readonly Named[], io: "input" | "output"): JsonSchemas {
  const registry = z.registry<{ id: string }>();
  const byName = new Map<string, Named>();
  for (const one of all) {
    const known = byName.get(one.name);
    if (known !== undefined && known.schema !== one.schema)
      throw new TypeError(`two schemas go by the name ${one.name}: give one of them another`);
    if (known === undefined) registry.add(one.schema, { id: one.name });
    byName.set(one.name, one);
  }
  const { schemas } = z.toJSONSchema(registry, { io, uri: referenceTo, override: tidy });
  return Object.fromEntries(
    Object.entries(schemas).map(([name, schema]) => [
      name,
      { ...withoutIdentity(schema), examples: [byName.get(name)?.example] },
    ]),
  );
}

/** The document says which dialect its schemas are of, and their place in it identifies them. */
function withoutIdentity(schema: object): object {
  return Object.fromEntries(Object.entries(schema).filter(([key]) => key !== "$schema" && key !== "$id"));
}

/** Each parameter of a query, which are texts there, with the schema of what they stand for. */
export function parameterSchemasOf(query: z.ZodObject): JsonSchemas {
  const { properties = {} } = z.toJSONSchema(query, { io: "input", override: tidy });
  return Object.fromEntries(Object.entries(properties).map(([name, schema]) => [name, Object(schema)]));
}

interface Overridden {
  readonly zodSchema: z.core.$ZodTypes;
  readonly jsonSchema: z.core.JSONSchema.BaseSchema;
}

/**
 * What is a number has no pattern, only a bound of ours is worth telling, and a default is told though it stands for what
 * the text is turned into.
 */
function tidy({ zodSchema: { _zod: zod }, jsonSchema }: Overridden): void {
  if (zod.def.type === "default") jsonSchema.default = zod.def.defaultValue;
  if (jsonSchema.type !== "integer") return;
  delete jsonSchema.pattern;
  if (jsonSchema.maximum === Number.MAX_SAFE_INTEGER) delete jsonSchema.maximum;
}
