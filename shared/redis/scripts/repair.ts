import { repairLockMs } from "../../ports/revocation-store.ts";
import { createScript, repairLock, validity, writes } from "./script.ts";

/**
 * Takes the lock, with the server's time and replication id, and takes the incarnation away.
 *
 * KEYS    state
 * ARGV    lock
 * returns {incarnation that was found or "", stream id of the head}, or nil while somebody else has the lock
 */
export const beginRepairScript = createScript(
  writes,
  validity,
  repairLock,
  `
local state = KEYS[1]
local holder = lockHolder(state)
if holder and holder ~= ARGV[1] then
  local ageMs = nowMs() - tonumber(redis.call('HGET', state, 'lock_at') or 0)
  if math.abs(ageMs) < ${repairLockMs} then return nil end
end
local found = { redis.call('HGET', state, 'incarnation') or '', headOf(state) }
redis.call('HDEL', state, 'incarnation', 'replication_id')
redis.call('HSET', state, 'lock', ARGV[1], 'lock_replication_id', replicationId(), 'lock_at', nowMs())
return found
`,
);

/**
 * Makes the store valid, under the replication id that the server has now.
 *
 * KEYS    state
 * ARGV    lock, incarnation, "1" for the first of the namespace or "0", longest lifetime in seconds, longest
 *         staleness in milliseconds
 * returns 1, or 0 when the lock was lost
 */
export const completeRepairScript = createScript(
  writes,
  validity,
  repairLock,
  `
local state = KEYS[1]
if lockHolder(state) ~= ARGV[1] then return 0 end
local longest = redis.call('HMGET', state, 'longest_lifetime', 'longest_staleness')
redis.call('HSET', state,
  'incarnation', ARGV[2],
  'replication_id', replicationId(),
  'since', nowMs(),
  'first', ARGV[3],
  'longest_lifetime', math.max(tonumber(longest[1] or 0), tonumber(ARGV[4])),
  'longest_staleness', math.max(tonumber(longest[2] or 0), tonumber(ARGV[5])))
redis.call('HDEL', state, 'lock', 'lock_replication_id', 'lock_at')
return 1
`,
);
