export const serviceNames = ["kafka", "redis", "mongo"] as const;
export type ServiceName = (typeof serviceNames)[number];

export const apiNames = ["api-1", "api-2", "api-3"] as const;
export const workerNames = ["worker-1", "worker-2"] as const;
export const roleNames = [...apiNames, ...workerNames] as const;
/** An instance that is started at the end: it knows of nothing but what it loads. */
export const newcomerName = "api-new";
export type ApiName = (typeof apiNames)[number];
export type RoleName = (typeof roleNames)[number];

/** One process's way to one service. */
export type LinkName = `${RoleName}>${ServiceName}`;

export const linkFaults = ["cut", "delay", "half-open", "reset"] as const;
export const redisFaults = ["flushall", "restart-empty", "restart-aof", "disk-full"] as const;
/** What a primary with a replica can suffer besides: see `ReplicatedRedis`. */
export const replicationFaults = ["fail-over", "split"] as const;
export const eventFaults = ["duplicate-events", "poisoned-events"] as const;

/** What is done, and to whom; the name of the kind under which the report counts it. */
export type FaultAction =
  | { readonly does: "kill" | "pause"; readonly target: RoleName | ServiceName }
  | { readonly does: (typeof linkFaults)[number]; readonly target: LinkName }
  | { readonly does: (typeof redisFaults)[number]; readonly target: "redis" }
  | { readonly does: (typeof replicationFaults)[number]; readonly target: "redis" }
  | { readonly does: (typeof eventFaults)[number]; readonly target: "topic" };

/** Those say by themselves whom they hit. */
const tellTheirTarget: readonly FaultAction["does"][] = [
  ...redisFaults,
  ...replicationFaults,
  ...eventFaults,
];

export function kindOf({ does, target }: Pick<FaultAction, "does" | "target">): string {
  return tellTheirTarget.includes(does) ? does : `${does} ${target.replace(/-\d/, "")}`;
}

export function endsOf(link: string): { readonly role: string; readonly service: string } {
  const [role = "", service = ""] = link.split(">");
  return { role, service };
}
