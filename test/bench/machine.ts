import { cpus, release, totalmem } from "node:os";

/** Where the figures were measured: only ratios of one run can be compared with those of another. */
export function describeMachine() {
  const [processor] = cpus();
  return {
    node: process.version,
    v8: process.versions.v8,
    system: `${process.platform} ${release()}`,
    processor: processor?.model.trim() ?? "unknown",
    cores: cpus().length,
    memory_gb: Math.round(totalmem() / 2 ** 30),
  };
}
