import { existsSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { createConnection } from "mongoose";
import { runCommand } from "./run-command.ts";
import type { Service } from "./service.ts";

const pinned = "secantusdb==0.7.0b3";

/** SecantusDB speaks MongoDB's protocol over MongoDB's own storage engine; it comes from PyPI, so no container is needed. */
export const mongo: Service = {
  portCount: 1,
  readyWithinMs: 30_000,

  prerequisites: (programs) => (existsSync(marker(programs)) ? [] : ["python3"]),

  async install(programs, log) {
    if (existsSync(marker(programs))) return;
    log(`installing ${pinned}`);
    const folder = venv(programs);
    rmSync(folder, { recursive: true, force: true });
    await runCommand("python3", ["-m", "venv", folder]);
    const pip = ["-m", "pip", "install", "-q", "--disable-pip-version-check", "--pre", pinned];
    await runCommand(path.join(folder, "bin", "python"), pip);
    writeFileSync(marker(programs), `${pinned}\n`);
  },

  prepare: ({ programs, data, ports }) => {
    const port = ["--port", String(ports[0])];
    const storage = ["--storage-path", path.join(data, "storage"), "--sync-on-commit"];
    const args = ["--standalone", ...port, ...storage, "--log-level", "WARNING"];
    return Promise.resolve({ command: path.join(venv(programs), "bin", "secantusd-py"), args, cwd: data });
  },

  async probe(ports) {
    const connection = createConnection(`mongodb://127.0.0.1:${ports[0]}/admin`, {
      serverSelectionTimeoutMS: 1000,
      socketTimeoutMS: 2000,
    });
    try {
      await connection.asPromise();
      await connection.db?.command({ ping: 1 });
    } finally {
      await connection.close(true);
    }
  },
};

function venv(programs: string): string {
  return path.join(programs, "secantusdb-0.7.0b3");
}

function marker(programs: string): string {
  return path.join(venv(programs), "installed");
}
