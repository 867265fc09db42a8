import { setTimeout as delay } from "node:timers/promises";
import type { Random } from "../../support/random.ts";
import { GaveUp, type People } from "./people.ts";
import { type ProbeDeps, runProbes } from "./probes.ts";
import type { ReceiptReader } from "./receipts.ts";
import type { Story } from "./stories.ts";

export interface WorkloadDeps extends ProbeDeps {
  readonly people: People;
  readonly stories: Readonly<Record<string, Story>>;
  readonly receipts: ReceiptReader;
  readonly random: Random;
}

const storyEveryMs = 900;
const storiesAtOnce = 12;
const receiptsEveryMs = 1_000;

/** Sign-ins, requests and revocations, until `signal`; resolves once what was begun has ended. */
export async function runWorkload(deps: WorkloadDeps, signal: AbortSignal): Promise<void> {
  await Promise.all([runProbes(deps, signal), tellStories(deps, signal), readReceipts(deps, signal)]);
}

async function tellStories({ stories, random }: WorkloadDeps, signal: AbortSignal): Promise<void> {
  const underWay = new Set<Promise<void>>();
  const failures: unknown[] = [];
  let left: Story[] = [];
  while (!signal.aborted && failures.length === 0) {
    if (left.length === 0) left = random.shuffled(Object.values(stories));
    const story = underWay.size < storiesAtOnce ? left.pop() : undefined;
    if (story !== undefined) {
      const telling = story()
        .catch((error: unknown) => void (error instanceof GaveUp || failures.push(error)))
        .finally(() => underWay.delete(telling));
      underWay.add(telling);
    }
    await delay(random.integer(storyEveryMs / 2, storyEveryMs * 1.5));
  }
  await Promise.all(underWay);
  if (failures.length > 0) throw new AggregateError(failures, `a story failed: ${String(failures[0])}`);
}

async function readReceipts({ receipts }: WorkloadDeps, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    await receipts.readNewest();
    await delay(receiptsEveryMs);
  }
}
