import { type Html, html, nothing, withCode } from "./html.ts";

type Json = Readonly<Record<string, unknown>>;

interface Member {
  /** With those of the objects around it: `token.jti`. */
  readonly name: string;
  readonly schema: Json;
  readonly isRequired: boolean;
}

/** The members of an object, those of objects inside it among them; what has a name of its own is linked. */
export function schemaTable(schema: Json): Html {
  const alternatives = listOf(schema["anyOf"]);
  if (alternatives.length > 0)
    return html`<p class="quiet">One of these:</p>${alternatives.map((one) => schemaTable(objectOf(one)))}`;
  const members = membersOf(schema, "");
  if (members.length === 0) return html`<p class="quiet">No members.</p>`;
  return html`<div class="scroll"><table><thead><tr><th>member</th><th>type</th><th>what it is</th></tr></thead><tbody>${members.map(row)}</tbody></table></div>`;
}

function row({ name, schema, isRequired }: Member): Html {
  const about = typeof schema["description"] === "string" ? withCode(schema["description"]) : [];
  return html`<tr><td><code>${name}</code>${isRequired ? nothing : html` <span class="quiet">optional</span>`}</td><td>${typeOf(schema)}</td><td>${about}</td></tr>`;
}

function membersOf(schema: Json, prefix: string): Member[] {
  const required = listOf(schema["required"]);
  return Object.entries(objectOf(schema["properties"])).flatMap(([name, member]) => {
    const inner = objectOf(member);
    const path = `${prefix}${name}`;
    const isList = inner["type"] === "array";
    const nested = membersOf(isList ? objectOf(inner["items"]) : inner, `${path}${isList ? "[]" : ""}.`);
    return [{ name: path, schema: inner, isRequired: required.includes(name) }, ...nested];
  });
}

/** In a few words: `text (uuid) or null`, `list of User`, `one of a, b`. */
export function typeOf(schema: Json): Html {
  const reference = schema["$ref"];
  if (typeof reference === "string") {
    const name = reference.slice(reference.lastIndexOf("/") + 1);
    return html`<a href="#schema-${name}">${name}</a>`;
  }
  const alternatives = listOf(schema["anyOf"]);
  if (alternatives.length > 0) return joined(alternatives.map((one) => typeOf(objectOf(one))));
  if (schema["const"] !== undefined) return html`<code>${JSON.stringify(schema["const"])}</code>`;
  const names = typeof schema["type"] === "string" ? [schema["type"]] : listOf(schema["type"]).map(String);
  return html`${joined(names.map((name) => simpleType(name, schema)))}${limitsOf(schema)}`;
}

function simpleType(name: string, schema: Json): Html {
  if (name === "array") return html`list of ${typeOf(objectOf(schema["items"]))}`;
  const values = listOf(schema["enum"]);
  if (name === "string" && values.length > 0)
    return joined(values.map((value) => html`<code>${String(value)}</code>`));
  const format = typeof schema["format"] === "string" ? ` (${schema["format"]})` : "";
  return html`${name === "string" ? `text${format}` : name}`;
}

function limitsOf(schema: Json): Html {
  const limits = [
    rangeOf(schema, ["minimum", "maximum"], ""),
    rangeOf(schema, ["minLength", "maxLength"], " characters"),
    rangeOf(schema, ["minItems", "maxItems"], " entries"),
    schema["default"] === undefined ? "" : `${JSON.stringify(schema["default"])} unless given`,
  ].filter(Boolean);
  return limits.length === 0 ? nothing : html`<span class="quiet">, ${limits.join(", ")}</span>`;
}

function rangeOf(schema: Json, names: readonly [least: string, most: string], unit: string): string {
  const [min, max] = names.map((name) => schema[name]);
  if (typeof min === "number" && typeof max === "number") return `${min} to ${max}${unit}`;
  if (typeof max === "number") return `at most ${max}${unit}`;
  return typeof min === "number" && min !== 0 ? `at least ${min}${unit}` : "";
}

function joined(parts: readonly Html[]): Html {
  return html`${parts.map((part, at) => (at === 0 ? part : html` or ${part}`))}`;
}

export function objectOf(value: unknown): Json {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? { ...value } : {};
}

export function textOf(value: unknown): string {
  return typeof value === "string" ? value : "";
}

export function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}
