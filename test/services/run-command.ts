import { spawn } from "node:child_process";

/** Runs a command to its end; a failure carries the end of what it printed. */
export async function runCommand(command: string, args: readonly string[], cwd?: string): Promise<string> {
  const child = spawn(command, args, {
    stdio: ["ignore", "pipe", "pipe"],
    ...(cwd === undefined ? {} : { cwd }),
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (text: string) => {
      output = (output + text).slice(-20_000);
    });
  }
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", resolve);
  });
  if (code !== 0) {
    throw new Error(`${command} ${args.join(" ")} ended with ${code}:\n${output.slice(-2000)}`);
  }
  return output;
}
