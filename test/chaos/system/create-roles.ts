import { administrator } from "../../support/fleet.ts";
import type { TcpProxy } from "../../support/tcp-proxy.ts";
import { type ApiName, type LinkName, type RoleName, roleNames } from "../fault-kinds.ts";
import { byName } from "./by-name.ts";
import { linkUrls } from "./links.ts";
import { createRoleProcess, type RoleProcess } from "./role-process.ts";

export interface RoleSettings {
  readonly tokenLifetimeSeconds: number;
  /** Where everything that runs writes its log. */
  readonly logFolder: string;
  readonly onEnd: (role: RoleName, how: string) => void;
}

export const namespace = "chaos";

/** The processes of the system, not started yet, each with its own links to the services. */
export function createRoles(
  place: {
    readonly keysFile: string;
    readonly links: ReadonlyMap<LinkName, TcpProxy>;
    readonly apiPorts: Readonly<Record<ApiName, number>>;
  },
  { tokenLifetimeSeconds, logFolder, onEnd }: RoleSettings,
): Record<RoleName, RoleProcess> {
  return byName(roleNames, (name) => {
    const common = { ...linkUrls(place.links, name), NAMESPACE: namespace, LOG_LEVEL: "info" };
    const api = {
      HOST: "127.0.0.1",
      PORT: name in place.apiPorts ? String(place.apiPorts[name as ApiName]) : "",
      SIGNING_KEYS_FILE: place.keysFile,
      TOKEN_LIFETIME_SECONDS: String(tokenLifetimeSeconds),
      ADMIN_EMAIL: administrator.email,
      ADMIN_PASSWORD: administrator.password,
      LOGIN_FAILURES_PER_ACCOUNT: "0",
      LOGIN_FAILURES_PER_ADDRESS: "0",
      HOLD_ABOVE_USERS_PER_MINUTE: "0",
    };
    const isApi = name in place.apiPorts;
    return createRoleProcess(name, {
      entry: isApi ? "api/main.ts" : "workers/main.ts",
      env: isApi ? { ...common, ...api } : { ...common, HEALTH_PORT: "0", HOLD_ABOVE_USERS_PER_MINUTE: "0" },
      logFolder,
      onEnd: (how) => onEnd(name, how),
    });
  });
}
