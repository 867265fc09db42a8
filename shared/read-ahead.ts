/** The same, with one more asked for while the last one is being worked on. */
export async function* readAhead<T>(source: AsyncIterable<T>): AsyncGenerator<T> {
  const items = source[Symbol.asyncIterator]();
  const ask = () => {
    const asked = items.next();
    // Told to whoever waits for it, in its turn.
    asked.catch(() => undefined);
    return asked;
  };
  let asked = ask();
  try {
    for (;;) {
      const { done, value } = await asked;
      if (done) return;
      asked = ask();
      yield value;
    }
  } finally {
    await asked.catch(() => undefined);
    await items.return?.();
  }
}

/** What `ask` answers for each item, in their order, with that many more asked for while one is being worked on. */
export async function* askAhead<Item, Answer>(
  items: Iterable<Item>,
  ask: (item: Item) => Promise<Answer>,
  ahead: number,
): AsyncGenerator<Answer> {
  const asked: Promise<Answer>[] = [];
  try {
    for (const item of items) {
      const answer = ask(item);
      // Told to whoever waits for it, in its turn.
      answer.catch(() => undefined);
      asked.push(answer);
      if (asked.length > ahead) yield* asked.splice(0, 1);
    }
    while (asked.length > 0) yield* asked.splice(0, 1);
  } finally {
    await Promise.allSettled(asked);
  }
}
