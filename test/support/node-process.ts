import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { eventually } from "./eventually.ts";

export interface NodeProcess {
  readonly child: ChildProcess;
  /** What it has logged so far: one object a line. */
  logged(event?: string): readonly Record<string, unknown>[];
  /** Everything it wrote, also what is no log. */
  output(): string;
  untilLogged(event: string): Promise<void>;
  /** Its exit code, or the signal that ended it. */
  readonly ended: Promise<number | string>;
}

export interface NodeProcessOptions {
  readonly environment?: Readonly<Record<string, string>>;
  /** A module that is run before its own: what happens to the process at a certain moment. */
  readonly preload?: string;
  /** How many files it may open. */
  readonly maxOpenFiles?: number;
}

/** Runs sources of the project as its start scripts do. */
export function startNode(args: readonly string[], options: NodeProcessOptions = {}): NodeProcess {
  const { environment = {}, preload, maxOpenFiles } = options;
  const given =
    preload === undefined ? [] : ["--import", `data:text/javascript,${encodeURIComponent(preload)}`];
  const command = [process.execPath, ...given, "--import", "tsx", ...args];
  const limited = ["bash", "-c", `ulimit -n ${maxOpenFiles}; exec "$0" "$@"`, ...command];
  const [program = "", ...rest] = maxOpenFiles === undefined ? command : limited;
  const child = spawn(program, rest, {
    env: { PATH: process.env["PATH"] ?? "", ...environment },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr])
    stream.on("data", (chunk: Buffer) => (output += chunk.toString()));
  const ended = once(child, "close").then(([code, signal]: unknown[]) =>
    typeof code === "number" ? code : String(signal),
  );

  const logged = (event?: string) =>
    output
      .split("\n")
      .flatMap(parseLine)
      .filter((line) => event === undefined || line["event"] === event);

  return {
    child,
    logged,
    output: () => output,
    async untilLogged(event) {
      await eventually(
        () => {
          const isAlive = child.exitCode === null && child.signalCode === null;
          if (isAlive && logged(event).length === 0) throw new Error(`no ${event} in:\n${output}`);
        },
        { timeoutMs: 30_000 },
      );
      if (logged(event).length === 0) throw new Error(`it ended without ${event}:\n${output}`);
    },
    ended,
  };
}

function parseLine(line: string): Record<string, unknown>[] {
  if (!line.startsWith("{")) return [];
  try {
    const fields: unknown = JSON.parse(line);
    return typeof fields === "object" && fields !== null ? [{ ...fields }] : [];
  } catch {
    return [];
  }
}
