import { createHash } from "node:crypto";

export interface Script {
  readonly source: string;
  readonly sha: string;
}

export function createScript(...parts: readonly string[]): Script {
  const source = parts.join("\n");
  return { source, sha: createHash("sha1").update(source).digest("hex") };
}

/** The server refuses such a script on a replica, without enough replicas, out of memory, out of disk. */
export const writes = "#!lua";
export const readsOnly = "#!lua flags=no-writes";

/** nowMs(): the server's clock. */
export const time = `
local function nowMs()
  local time = redis.call('TIME')
  return time[1] * 1000 + math.floor(time[2] / 1000)
end
`;
