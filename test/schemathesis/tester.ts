import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { servicesFolder } from "../services/state.ts";

const version = "4.32.5";
/** Of the whole run. */
const seconds = 60;
const graceMs = 60_000;
/** The same calls at each run, so that a change is judged by what it changed. */
const seed = 1;

/** Its program, in a folder of its own beside the services' downloads. */
export async function installTester(environment: NodeJS.ProcessEnv): Promise<string> {
  const folder = join(servicesFolder(environment), "tools", `schemathesis-${version}`);
  const installed = join(folder, "installed");
  if (!existsSync(installed)) {
    await rm(folder, { recursive: true, force: true });
    await run("python3", ["-m", "venv", folder]);
    const pip = ["-m", "pip", "install", "-q", "--disable-pip-version-check", `schemathesis==${version}`];
    await run(join(folder, "bin", "python"), pip);
    await writeFile(installed, "");
  }
  return join(folder, "bin", "schemathesis");
}

export interface TesterRun {
  readonly url: string;
  /** What the tester writes lands in its folder. */
  readonly documentFile: string;
  readonly arguments: readonly string[];
  readonly environment: NodeJS.ProcessEnv;
}

/** Its exit code. Ended, and counted as failed, when it takes far longer than it should. */
export async function runTester(program: string, options: TesterRun): Promise<number> {
  const here = import.meta.dirname;
  const pairs = {
    "--url": options.url,
    "--max-time": String(seconds),
    "--seed": String(seed),
  };
  const all = [
    "--config-file",
    join(here, "schemathesis.toml"),
    "run",
    options.documentFile,
    "--no-color",
    ...Object.entries(pairs).flat(),
    ...options.arguments,
  ];
  const child = spawn(program, all, {
    cwd: dirname(options.documentFile),
    env: {
      ...options.environment,
      SCHEMATHESIS_HOOKS: join(here, "hooks.py"),
      PYTHONDONTWRITEBYTECODE: "1",
    },
    stdio: ["ignore", "inherit", "inherit"],
  });
  const overdue = setTimeout(() => child.kill("SIGKILL"), seconds * 1_000 + graceMs);
  const code = await ended(child);
  clearTimeout(overdue);
  return code ?? 1;
}

async function run(command: string, parameters: readonly string[]): Promise<void> {
  const code = await ended(spawn(command, parameters, { stdio: ["ignore", "inherit", "inherit"] }));
  if (code !== 0) throw new Error(`${command} ${parameters.join(" ")} ended with ${code}`);
}

async function ended(child: ChildProcess): Promise<number | null> {
  const [code]: unknown[] = await once(child, "exit");
  return typeof code === "number" ? code : null;
}
