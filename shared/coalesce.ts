import { isRetriable } from "./errors.ts";

export interface CoalescerOptions<Input, Output> {
  /** Answers in the order of the inputs. */
  readonly run: (inputs: readonly Input[]) => Promise<readonly Output[]>;
  /** How much of one run an input is; 1 unless given. */
  readonly weigh?: (input: Input) => number;
  /** A run takes one input at least, and more only while they weigh no more than that together. */
  readonly mostInARun?: number;
  /** 4 unless given: one that takes long holds up nobody else, as long as few do. */
  readonly runsAtOnce?: number;
}

/**
 * Joins calls: those of one turn of the event loop, and, once a few runs are under way, those that are made meanwhile.
 * Each call is served by a run that began after it was made, so what it reads is never older than itself. A run that
 * fails because something is away fails everybody whom it served; where it fails for what it was given, each of them is
 * tried alone, so that one is not punished for another.
 */
export function createCoalescer<Input, Output>(
  options: CoalescerOptions<Input, Output>,
): (input: Input) => Promise<Output> {
  const { run, weigh = () => 1, mostInARun = Number.POSITIVE_INFINITY, runsAtOnce = 4 } = options;
  let waiting: Call<Input, Output>[] = [];
  let runs = 0;
  let isAboutToRun = false;

  function takeSome(): Call<Input, Output>[] {
    let weight = 0;
    const rest = waiting.findIndex(({ input }, at) => {
      weight += weigh(input);
      return at > 0 && weight > mostInARun;
    });
    const taken = rest === -1 ? waiting : waiting.slice(0, rest);
    waiting = waiting.slice(taken.length);
    return taken;
  }

  async function serve(): Promise<void> {
    while (waiting.length > 0) await serveAll(takeSome());
    runs -= 1;
  }

  async function serveAll(calls: readonly Call<Input, Output>[]): Promise<void> {
    try {
      const outputs = await run(calls.map(({ input }) => input));
      for (const [at, { resolve }] of calls.entries()) resolve(outputs[at] as Output);
    } catch (error) {
      if (calls.length > 1 && !isRetriable(error)) for (const call of calls) await serveAll([call]);
      else for (const { reject } of calls) reject(error);
    }
  }

  return (input) =>
    new Promise((resolve, reject) => {
      waiting.push({ input, resolve, reject });
      if (isAboutToRun || runs === runsAtOnce) return;
      isAboutToRun = true;
      runs += 1;
      // The others of this turn are there before it begins.
      queueMicrotask(() => {
        isAboutToRun = false;
        void serve();
      });
    });
}

interface Call<Input, Output> {
  readonly input: Input;
  readonly resolve: (output: Output) => void;
  readonly reject: (error: unknown) => void;
}
