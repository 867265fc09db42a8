/** Text that is HTML already. */
export class Html {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}

type Part = string | Html | readonly Html[];

/** A template whose parts are escaped unless they are HTML themselves. */
export function html(strings: TemplateStringsArray, ...parts: readonly Part[]): Html {
  return new Html(strings.map((text, at) => text + textOf(parts[at] ?? "")).join(""));
}

export const nothing = html``;

/** Words between back ticks as code. */
export function withCode(text: string): Html[] {
  return text.split("`").map((part, at) => (at % 2 === 1 ? html`<code>${part}</code>` : html`${part}`));
}

export function paragraphs(text: string): Html[] {
  return text.split(/\n{2,}/).map((paragraph) => html`<p>${withCode(paragraph)}</p>`);
}

function textOf(part: Part): string {
  if (part instanceof Html) return part.text;
  if (typeof part !== "string") return part.map(({ text }) => text).join("");
  return part.replaceAll(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
