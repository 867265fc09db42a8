export interface NamedTests {
  /** From the root of the project. */
  readonly file: string;
  readonly titles: readonly string[];
}

/** `[name](file) "title", "title", [name](file) "title"`; a quote within a title is escaped. */
export function namedTests(cell: string): NamedTests[] {
  return [...cell.matchAll(/\]\(([^)]+)\)([^[]*(?:\[(?!`)[^[]*)*)/g)].map(([, file = "", rest = ""]) => ({
    file: file.replace(/^\.\.\//, ""),
    titles: [...rest.matchAll(/"((?:[^"\\]|\\.)+)"/g)].map(([, title = ""]) => title.replaceAll("\\", "")),
  }));
}
