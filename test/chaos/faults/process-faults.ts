import type { RoleName, ServiceName } from "../fault-kinds.ts";
import type { RoleProcess } from "../system/role-process.ts";
import type { ChaosSystem } from "../system/start-system.ts";

export interface ProcessFault {
  readonly does: "kill" | "pause";
  readonly target: RoleName | ServiceName;
}

type System = Pick<ChaosSystem, "roles" | "services">;

export async function startProcessFault({ does, target }: ProcessFault, system: System): Promise<void> {
  const process = processOf(target, system);
  if (does === "pause") process.signal("SIGSTOP");
  else await process.end("SIGKILL");
}

/** A service answers again by then; an API instance or a worker has only been started. */
export async function endProcessFault({ does, target }: ProcessFault, system: System): Promise<void> {
  const process = processOf(target, system);
  if (does === "pause") return process.signal("SIGCONT");
  await process.start();
}

interface Startable extends Pick<RoleProcess, "signal" | "end"> {
  start(): void | Promise<void>;
}

function processOf(target: RoleName | ServiceName, { roles, services }: System): Startable {
  return target === "kafka" || target === "redis" || target === "mongo" ? services[target] : roles[target];
}
