import type { LinkName, linkFaults } from "../fault-kinds.ts";
import type { ChaosSystem } from "../system/start-system.ts";

export interface LinkFault {
  readonly does: (typeof linkFaults)[number];
  readonly target: LinkName;
  readonly id: number;
}

type System = Pick<ChaosSystem, "links">;

export async function startLinkFault(fault: LinkFault, system: System): Promise<void> {
  const link = linkOf(fault, system);
  switch (fault.does) {
    case "cut":
      return link.cut();
    case "half-open":
      return link.stall();
    case "delay":
      return link.delay(100 + ((fault.id * 97) % 700));
    case "reset":
      return link.reset();
  }
}

export async function endLinkFault(fault: LinkFault, system: System): Promise<void> {
  linkOf(fault, system).restore();
}

function linkOf({ target }: LinkFault, { links }: System) {
  const link = links.get(target);
  if (link === undefined) throw new Error(`no link ${target}`);
  return link;
}
