import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import type { Repetition, Side } from "./contest.ts";

export interface SideProcess {
  /** A file in `sides/`, without its ending, and which of those that it exports. */
  readonly module: string;
  readonly side: string;
  readonly params: unknown;
  readonly nodeOptions?: readonly string[];
}

const entry = fileURLToPath(new URL("sides/main.ts", import.meta.url));

/** A side in a process of its own, so that one's heap is nothing to the other's garbage collector. */
export function inProcessOfItsOwn(
  name: string,
  { module, side, params, nodeOptions = [] }: SideProcess,
): Side {
  return {
    name,
    async open() {
      const child = fork(entry, [module, side, JSON.stringify(params)], {
        execArgv: ["--expose-gc", "--max-old-space-size=8192", ...nodeOptions, "--import", "tsx"],
      });
      const ended = once(child, "exit");
      await answerOf(child);
      return {
        async run() {
          child.send("run");
          return (await answerOf(child)) as Repetition;
        },
        async close() {
          child.kill();
          await ended;
        },
      };
    },
  };
}

async function answerOf(child: ChildProcess): Promise<unknown> {
  const abandoned = new AbortController();
  try {
    return await Promise.race([
      once(child, "message", { signal: abandoned.signal }).then(([answer]: unknown[]) => answer),
      once(child, "exit", { signal: abandoned.signal }).then(([code]: unknown[]) => {
        throw new Error(`a side ended with ${String(code)}`);
      }),
    ]);
  } finally {
    abandoned.abort();
  }
}
