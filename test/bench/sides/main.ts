import type { Repetition } from "../contest.ts";

/** Makes a side ready; what it returns runs it once. */
export type PrepareSide = (params: never) => Promise<() => Promise<Repetition> | Repetition>;

const [, , module = "", side = "", params = "null"] = process.argv;
const { sides } = (await import(`./${module}.ts`)) as { sides: Record<string, PrepareSide> };
const prepare = sides[side];
if (prepare === undefined) throw new Error(`${module} has no side ${side}`);
const run = await prepare(JSON.parse(params) as never);
process.on("message", () => void runOnce());
process.send?.("ready");

async function runOnce(): Promise<void> {
  process.send?.(await run());
}
