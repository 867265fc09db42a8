export interface Place {
  readonly limit: number;
  readonly after?: string;
}

/** Pages of at most `limit`, each asked for after the last item of the one before, until one is not full. */
export async function* pagesOf<T>(
  limit: number,
  keyOf: (item: T) => string,
  read: (place: Place) => Promise<readonly T[]>,
): AsyncGenerator<readonly T[]> {
  let after: string | undefined;
  for (;;) {
    const page = await read({ limit, ...(after === undefined ? {} : { after }) });
    yield page;
    const last = page.at(-1);
    if (last === undefined || page.length < limit) return;
    after = keyOf(last);
  }
}
