import type { OpenApiDocument } from "../create-document.ts";
import { Html, html, paragraphs, withCode } from "./html.ts";
import { exampleOf, operationSection, type Resolve } from "./operation-section.ts";
import { listOf, objectOf, schemaTable } from "./schema-table.ts";
import { style } from "./style.ts";

/** The document as one page that needs no script and nothing from anywhere else. */
export function renderPage(document: OpenApiDocument): string {
  const { info, components } = document;
  const schemas = Object.entries(components["schemas"] ?? {});
  const page = html`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>${info.title} API ${info.version}</title><style>${raw(style)}</style></head>
<body><div class="page"><nav aria-label="Contents">${contents(document)}</nav>
<main><h1>${info.title} <span class="quiet">${info.version}</span></h1>
${paragraphs(info.description)}
<p>The same for programs: <a href="openapi.json">openapi.json</a>.</p>
<h2 id="credentials">Credentials</h2>${Object.entries(components["securitySchemes"] ?? {}).map(credential)}
${document.tags.map((tag) => tagSection(tag, document))}
<h2 id="schemas">Schemas</h2>${schemas.map(([name, schema]) => schemaSection(name, schema))}
<h2 id="problems">Problems</h2>${problemTable(components["examples"] ?? {})}
</main></div></body></html>
`;
  return page.text;
}

function contents(document: OpenApiDocument): Html {
  const groups = document.tags.map(
    ({ name }) =>
      html`<h2><a href="#${name}">${name}</a></h2><ul>${operationsOf(document, name).map(({ operation }) => html`<li><a href="#${String(operation["operationId"])}">${String(operation["summary"])}</a></li>`)}</ul>`,
  );
  return html`${groups}<h2><a href="#schemas">Schemas</a></h2><h2><a href="#problems">Problems</a></h2>`;
}

function tagSection({ name, description }: OpenApiDocument["tags"][number], document: OpenApiDocument): Html {
  const resolve: Resolve = (value) => resolveIn(document, value);
  const sections = operationsOf(document, name).map(({ method, path, operation }) =>
    operationSection(method, path, operation, resolve),
  );
  return html`<section><h2 id="${name}">${name}</h2><p>${description}</p>${sections}</section>`;
}

function operationsOf({ paths }: OpenApiDocument, tag: string) {
  return Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods)
      .filter(([, { tags }]) => listOf(tags).includes(tag))
      .map(([method, operation]) => ({ method, path, operation })),
  );
}

function credential([name, scheme]: [string, Readonly<Record<string, unknown>>]): Html {
  return html`<p><strong>${name}</strong>: ${withCode(String(scheme["description"]))}</p>`;
}

function schemaSection(name: string, schema: Readonly<Record<string, unknown>>): Html {
  const [example] = listOf(schema["examples"]);
  return html`<article id="schema-${name}"><h3>${name}</h3>${schemaTable(schema)}${exampleOf(example)}</article>`;
}

function problemTable(examples: Readonly<Record<string, Readonly<Record<string, unknown>>>>): Html {
  const rows = Object.entries(examples).map(([slug, example]) => {
    const { status, title, detail } = objectOf(example["value"]);
    return html`<tr id="problem-${slug}"><td><code>${slug}</code></td><td>${String(status)}</td><td>${String(title)}. <span class="quiet">${String(detail)}</span></td></tr>`;
  });
  return html`<div class="scroll"><table><thead><tr><th>slug</th><th>status</th><th>meaning, and what to do</th></tr></thead><tbody>${rows}</tbody></table></div>`;
}

function resolveIn(document: OpenApiDocument, value: unknown): Readonly<Record<string, unknown>> {
  const { $ref: reference, ...plain } = objectOf(value);
  if (typeof reference !== "string") return plain;
  const [, , kind = "", name = ""] = reference.split("/");
  return document.components[kind]?.[name] ?? {};
}

/** The style is ours and holds no mark-up. */
function raw(text: string): Html {
  return new Html(text);
}
