/**
 * Joins calls that are made while one is under way: one call at a time, the next with everything that was asked for
 * meanwhile. Each call is served by a run that began after it was made, so what it reads is never older than itself.
 * A run that fails fails everybody whom it served.
 */
export function createCoalescer<Input, Output>(
  run: (inputs: readonly Input[]) => Promise<readonly Output[]>,
): (input: Input) => Promise<Output> {
  let waiting: Call<Input, Output>[] = [];
  let isRunning = false;

  async function serve(): Promise<void> {
    isRunning = true;
    while (waiting.length > 0) {
      const calls = waiting;
      waiting = [];
      try {
        const outputs = await run(calls.map(({ input }) => input));
        for (const [i, { resolve }] of calls.entries()) resolve(outputs[i] as Output);
      } catch (error) {
        for (const { reject } of calls) reject(error);
      }
    }
    isRunning = false;
  }

  return (input) =>
    new Promise((resolve, reject) => {
      waiting.push({ input, resolve, reject });
      if (!isRunning) void serve();
    });
}

interface Call<Input, Output> {
  readonly input: Input;
  readonly resolve: (output: Output) => void;
  readonly reject: (error: unknown) => void;
}
