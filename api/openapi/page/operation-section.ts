import { type Html, html, nothing, paragraphs, withCode } from "./html.ts";
import { listOf, objectOf, textOf, typeOf } from "./schema-table.ts";

type Json = Readonly<Record<string, unknown>>;

/** Follows a reference into the document; anything else is returned as it is. */
export type Resolve = (value: unknown) => Json;

/** One operation: what it takes, what it answers, an example of each. */
export function operationSection(method: string, path: string, operation: Json, resolve: Resolve): Html {
  const id = String(operation["operationId"]);
  return html`<article id="${id}">
<header><span class="method ${method}">${method.toUpperCase()}</span><span class="path">${path}</span><h3><a href="#${id}">${String(operation["summary"])}</a></h3></header>
${paragraphs(String(operation["description"]))}
${parameterTable(listOf(operation["parameters"]).map(resolve))}
${requestBody(objectOf(operation["requestBody"]))}
<h4>Answers</h4>
${Object.entries(objectOf(operation["responses"])).map(([status, response]) => answer(status, response, resolve))}
</article>`;
}

function parameterTable(parameters: readonly Json[]): Html {
  const rows = parameters.map(
    (parameter) =>
      html`<tr><td><code>${String(parameter["name"])}</code></td><td>${String(parameter["in"])}</td><td>${typeOf(objectOf(parameter["schema"]))}</td><td>${withCode(textOf(parameter["description"]))}</td></tr>`,
  );
  return html`<h4>Parameters</h4><div class="scroll"><table><thead><tr><th>name</th><th>in</th><th>type</th><th>what it is</th></tr></thead><tbody>${rows}</tbody></table></div>`;
}

function requestBody(body: Json): Html {
  const contents = Object.entries(objectOf(body["content"]));
  if (contents.length === 0) return nothing;
  const isOptional = body["required"] !== true;
  return html`<h4>Body${isOptional ? html` <span class="quiet">may be left out</span>` : nothing}</h4>${contents.map(contentOf)}`;
}

function answer(status: string, response: unknown, resolve: Resolve): Html {
  const { description, content, headers } = resolve(response);
  const names = Object.keys(objectOf(headers));
  const about = String(description);
  const lines = about.startsWith("- ") ? about.split("\n").map((line) => line.slice(2)) : [about];
  return html`<details><summary><strong>${status}</strong> ${summaryOf(lines)}</summary>
${lines.length > 1 ? html`<ul>${lines.map((line) => html`<li>${withCode(line)}</li>`)}</ul>` : nothing}
${names.length > 0 ? html`<p class="quiet">Headers: ${names.join(", ")}</p>` : nothing}
${Object.entries(objectOf(content)).map(contentOf)}</details>`;
}

/** Of many refusals only the names. */
function summaryOf(lines: readonly string[]): Html[] {
  if (lines.length === 1) return withCode(lines[0] ?? "");
  return withCode(lines.map((line) => line.split(":")[0]).join(", "));
}

function contentOf([contentType, content]: [string, unknown]): Html {
  const { schema, example } = objectOf(content);
  const type = objectOf(schema);
  const of = listOf(type["allOf"])[0] ?? type;
  return html`<p><code>${contentType}</code>: ${typeOf(objectOf(of))}</p>${example === undefined ? nothing : exampleOf(example)}`;
}

export function exampleOf(example: unknown): Html {
  return html`<pre>${typeof example === "string" ? example : JSON.stringify(example, null, 2)}</pre>`;
}
