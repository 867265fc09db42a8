import { freshNamespace } from "../../support/services.ts";
import type { BenchContext, Benchmark } from "../benchmark.ts";
import { type Row, rowOf, type Target } from "../contest.ts";
import { openFloor } from "../fan-out/floor.ts";
import { type Course, measure, TooLate } from "../fan-out/measure.ts";
import { openProduct } from "../fan-out/product.ts";

const targets: Readonly<Record<string, Target>> = {
  p50: { of: "ratio", atMost: 1.1 },
  p99: { of: "ratio", atMost: 2 },
};

export const fanOut: Benchmark = {
  name: "fan-out",
  about: "from producing an event until every API process has closed the streams of its token",
  async *contests(context) {
    const most = context.isShort ? 2 : 8;
    yield* courseOf(context, { kind: "own", instances: most, backgrounds: context.isShort ? [0] : [0, 100] });
    if (context.isShort) return;
    yield* courseOf(context, { kind: "upstream", instances: most, backgrounds: [0, 100] });
    for (const instances of [1, 2, 4]) yield* courseOf(context, { kind: "own", instances, backgrounds: [0] });
  },
};

interface CourseOptions {
  readonly kind: "own" | "upstream";
  readonly instances: number;
  readonly backgrounds: readonly number[];
}

async function* courseOf(
  context: BenchContext,
  { kind, instances, backgrounds }: CourseOptions,
): AsyncGenerator<readonly Row[]> {
  const services = await context.services();
  const namespace = freshNamespace();
  const opened: Course[] = [];
  const rounds = context.isShort ? 3 : 300;
  try {
    const floor = await openFloor(services, namespace, instances);
    opened.push(floor);
    const product = await openProduct({ services, namespace, instances, kind });
    opened.push(product);
    // The first ones pay for what is compiled and connected once.
    await measure(opened, { rounds: context.isShort ? 1 : 30, perSecond: 0, brokers: services.kafkaBrokers });
    for (const perSecond of backgrounds) {
      const measured = await measure(opened, { rounds, perSecond, brokers: services.kafkaBrokers }).catch(
        (error: unknown) => {
          if (perSecond === 0 || !(error instanceof TooLate)) throw error;
          context.log(`fan-out: not measured with ${perSecond} events a second beside: ${error.message}`);
        },
      );
      if (measured === undefined) break;
      const { tookMs } = measured;
      const params = { instances, events: kind, background_per_second: perSecond };
      const hasTargets = !context.isShort && instances === 8 && kind === "own";
      for (const [of, quantile] of [
        ["p50", 0.5],
        ["p99", 0.99],
      ] as const) {
        const target = targets[of];
        yield [
          rowOf({
            bench: "fan-out",
            params: { ...params, of },
            unit: "ms",
            repetitions: rounds,
            ours: { name: product.name, ...spreadAt(tookMs.get(product), quantile) },
            baseline: { name: floor.name, ...spreadAt(tookMs.get(floor), quantile) },
            ...(hasTargets && target !== undefined && { target }),
          }),
        ];
      }
    }
  } finally {
    for (const course of opened.toReversed()) await course.close();
  }
}

/** The quantile stands where other benchmarks have their median. */
function spreadAt(values: readonly number[] = [], quantile: number) {
  const ordered = values.toSorted((a, b) => a - b);
  const at = Math.max(0, Math.ceil(quantile * ordered.length) - 1);
  const [min = Number.NaN, max = Number.NaN, median = Number.NaN] = [ordered[0], ordered.at(-1), ordered[at]];
  return { median, min, max };
}
