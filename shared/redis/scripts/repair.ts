import { createScript, validity, writes } from "./script.ts";

/**
 * Takes the lock and the incarnation away.
 *
 * KEYS    state
 * ARGV    lock
 * returns {incarnation that was found or "", stream id of the head}
 */
export const beginRepairScript = createScript(
  writes,
  validity,
  `
local state = KEYS[1]
local found = { redis.call('HGET', state, 'incarnation') or '', headOf(state) }
redis.call('HDEL', state, 'incarnation', 'replication_id')
redis.call('HSET', state, 'lock', ARGV[1])
return found
`,
);

/**
 * Makes the store valid, under the replication id that the server has now.
 *
 * KEYS    state
 * ARGV    lock, incarnation, "1" for the first of the namespace or "0", longest lifetime in seconds, longest
 *         staleness in milliseconds
 * returns 1, or 0 when somebody else has the lock
 */
export const completeRepairScript = createScript(
  writes,
  validity,
  `
local state = KEYS[1]
if redis.call('HGET', state, 'lock') ~= ARGV[1] then return 0 end
local longest = redis.call('HMGET', state, 'longest_lifetime', 'longest_staleness')
redis.call('HSET', state,
  'incarnation', ARGV[2],
  'replication_id', replicationId(),
  'since', nowMs(),
  'first', ARGV[3],
  'longest_lifetime', math.max(tonumber(longest[1] or 0), tonumber(ARGV[4])),
  'longest_staleness', math.max(tonumber(longest[2] or 0), tonumber(ARGV[5])))
redis.call('HDEL', state, 'lock')
return 1
`,
);
