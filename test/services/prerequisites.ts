import { spawnSync } from "node:child_process";

interface Prerequisite {
  readonly command: string;
  readonly why: string;
  readonly hint: string;
}

const prerequisites: Record<"java" | "mvn" | "python3" | "redis-server", Prerequisite> = {
  java: {
    command: "java",
    why: "runs Kafka",
    hint: "Java 17 or newer; apt-get install openjdk-17-jre-headless",
  },
  mvn: { command: "mvn", why: "downloads Kafka", hint: "apt-get install maven" },
  python3: {
    command: "python3",
    why: "runs the server that speaks MongoDB's protocol",
    hint: "Python 3.10 or newer; apt-get install python3 python3-venv",
  },
  "redis-server": { command: "redis-server", why: "is Redis", hint: "apt-get install redis-server" },
};

export type PrerequisiteName = keyof typeof prerequisites;

/** Throws one error that names all that is missing. Redis is installed where that takes no questions: as root, by apt. */
export function requirePrerequisites(names: readonly PrerequisiteName[], log: (line: string) => void): void {
  if (names.includes("redis-server") && !isThere("redis-server")) installRedis(log);
  const missing = names.filter((name) => !isThere(name)).map((name) => prerequisites[name]);
  if (names.includes("java") && isThere("java") && javaVersion() < 17) missing.push(prerequisites.java);
  if (missing.length === 0) return;
  const lines = missing.map(({ command, why, hint }) => `  ${command} (${why}): ${hint}`);
  throw new MissingPrerequisites(`The services need what is not installed here:\n${lines.join("\n")}`);
}

export class MissingPrerequisites extends Error {
  override name = "MissingPrerequisites";
}

function isThere(command: string): boolean {
  return spawnSync(command, ["--version"], { stdio: "ignore" }).error === undefined;
}

function javaVersion(): number {
  const { stderr } = spawnSync("java", ["-version"], { encoding: "utf8" });
  return Number(/version "(\d+)/.exec(stderr)?.[1] ?? 0);
}

function installRedis(log: (line: string) => void): void {
  if (process.getuid?.() !== 0 || !isThere("apt-get")) return;
  log("installing redis-server with apt-get");
  const options = { stdio: ["ignore", "ignore", "inherit"] as ("ignore" | "inherit")[] };
  spawnSync("apt-get", ["update", "-q"], options);
  spawnSync("apt-get", ["install", "-qy", "--no-install-recommends", "redis-server"], {
    ...options,
    env: { ...process.env, DEBIAN_FRONTEND: "noninteractive" },
  });
}
