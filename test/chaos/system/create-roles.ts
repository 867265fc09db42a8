import { administrator } from "../../support/fleet.ts";
import type { TcpProxy } from "../../support/tcp-proxy.ts";
import { type ApiName, type LinkName, newcomerName, type RoleName, roleNames } from "../fault-kinds.ts";
import { byName } from "./by-name.ts";
import { linkUrls } from "./links.ts";
import { createRoleProcess } from "./role-process.ts";

export interface RoleSettings {
  readonly tokenLifetimeSeconds: number;
  /** Where everything that runs writes its log. */
  readonly logFolder: string;
  readonly onEnd: (role: RoleName | typeof newcomerName, how: string) => void;
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
) {
  const common = {
    NAMESPACE: namespace,
    LOG_LEVEL: "info",
    HOLD_ABOVE_USERS_PER_MINUTE: "0",
    LOGIN_FAILURES_PER_ACCOUNT: "0",
    LOGIN_FAILURES_PER_ADDRESS: "0",
  };
  const apiSettings = (port: number) => ({
    ...common,
    HOST: "127.0.0.1",
    PORT: String(port),
    SIGNING_KEYS_FILE: place.keysFile,
    TOKEN_LIFETIME_SECONDS: String(tokenLifetimeSeconds),
    ADMIN_EMAIL: administrator.email,
    ADMIN_PASSWORD: administrator.password,
    LOGIN_FAILURES_PER_ACCOUNT: "0",
    LOGIN_FAILURES_PER_ADDRESS: "0",
  });
  const roles = byName(roleNames, (name) => {
    const isApi = name in place.apiPorts;
    const settings = isApi ? apiSettings(place.apiPorts[name as ApiName]) : { ...common, HEALTH_PORT: "0" };
    return createRoleProcess(name, {
      entry: isApi ? "api/main.ts" : "workers/main.ts",
      env: { ...linkUrls(place.links, name), ...settings },
      logFolder,
      onEnd: (how) => onEnd(name, how),
    });
  });
  const createNewcomer = (urls: Readonly<Record<string, string>>, port: number) =>
    createRoleProcess(newcomerName, {
      entry: "api/main.ts",
      env: { ...urls, ...apiSettings(port) },
      logFolder,
      onEnd: (how) => onEnd(newcomerName, how),
    });
  return { roles, createNewcomer };
}
