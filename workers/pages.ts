/** `after`: the cursor of the last item of the page before. */
export interface PageQuery<C = string> {
  readonly limit: number;
  readonly after?: C;
}

/** Pages of at most `limit`, each asked for after the last item of the one before, until one is not full. */
export async function* pagesOf<T, C = string>(
  limit: number,
  cursorOf: (item: T) => C,
  read: (query: PageQuery<C>) => Promise<readonly T[]>,
): AsyncGenerator<readonly T[]> {
  let query: PageQuery<C> = { limit };
  for (;;) {
    const page = await read(query);
    yield page;
    const last = page.at(-1);
    if (last === undefined || page.length < limit) return;
    query = { limit, after: cursorOf(last) };
  }
}
