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

/**
 * nowMs(): the server's clock.
 * validIncarnation(state): the incarnation, or false while there is none or the server has another replication
 * id than the one under which it was set.
 */
export const validity = `
local function nowMs()
  local time = redis.call('TIME')
  return time[1] * 1000 + math.floor(time[2] / 1000)
end

local function replicationId()
  return string.match(redis.call('INFO', 'replication'), 'master_replid:(%x+)')
end

local function validIncarnation(state)
  local recorded = redis.call('HMGET', state, 'incarnation', 'replication_id')
  if not recorded[1] then return false end
  return recorded[2] == replicationId() and recorded[1]
end

local function headOf(state)
  return redis.call('HGET', state, 'head') or '0-0'
end
`;

/**
 * lockHolder(state): the repair lock, or false while there is none or the server has another replication id than the
 * one under which it was taken: a chunk that the server before had confirmed may be missing then.
 */
export const repairLock = `
local function lockHolder(state)
  local recorded = redis.call('HMGET', state, 'lock', 'lock_replication_id')
  if not recorded[1] then return false end
  return recorded[2] == replicationId() and recorded[1]
end
`;

/**
 * foreignKeys(keys): which of the namespace's fixed keys somebody else wrote, being of another type than ours: state,
 * instances, feed, index of tokens, index of unrecorded tokens, index of cut-offs, in this order.
 */
export const foreignKeys = `
local function foreignKeys(keys)
  local types = { 'hash', 'hash', 'stream', 'zset', 'zset', 'zset' }
  local foreign = {}
  for at, key in ipairs(keys) do
    local found = redis.call('TYPE', key)['ok']
    if found ~= 'none' and found ~= types[at] then foreign[#foreign + 1] = key end
  end
  return foreign
end
`;
