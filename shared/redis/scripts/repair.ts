import { repairLockMs } from "../../ports/revocation-store.ts";
import { clockErrorAllowedMs } from "../../revocation/addition.ts";
import { createScript, foreignKeys, readsOnly, repairLock, validity, writes } from "./script.ts";

/**
 * Takes the lock, with the server's time and replication id, and takes the incarnation away; and every fixed key that
 * is somebody else's. What one of those had held is lost: nothing counts as found then.
 *
 * KEYS    state, instances, feed, index of tokens, index of unrecorded tokens, index of cut-offs
 * ARGV    lock, then locks that are taken over at once
 * returns {incarnation that was found or "", stream id of the head, now}, or nil while somebody else has the lock
 */
export const beginRepairScript = createScript(
  writes,
  validity,
  repairLock,
  foreignKeys,
  `
local state = KEYS[1]
if #foreignKeys({ state }) > 0 then redis.call('UNLINK', state) end
local holder = lockHolder(state)
for _, lock in ipairs(ARGV) do
  if holder == lock then holder = false end
end
if holder then
  local ageMs = nowMs() - tonumber(redis.call('HGET', state, 'lock_at') or 0)
  if math.abs(ageMs) < ${repairLockMs} then return nil end
end
local foreign = foreignKeys(KEYS)
for _, key in ipairs(foreign) do redis.call('UNLINK', key) end
local now = nowMs()
local found = { #foreign == 0 and redis.call('HGET', state, 'incarnation') or '', headOf(state), now }
redis.call('HDEL', state, 'incarnation', 'replication_id')
redis.call('HSET', state, 'lock', ARGV[1], 'lock_replication_id', replicationId(), 'lock_at', now)
return found
`,
);

/**
 * Makes the store valid, under the replication id that the server has now.
 *
 * KEYS    state
 * ARGV    lock, incarnation, "1" for the first of the namespace or "0", when the repair began that wrote all of it or
 *         "-", longest lifetime in seconds, longest staleness in milliseconds, for how long a primary that was cut off
 *         takes writes, in milliseconds
 * returns 1, or 0 when the lock was lost
 */
export const completeRepairScript = createScript(
  writes,
  validity,
  repairLock,
  `
local state = KEYS[1]
if lockHolder(state) ~= ARGV[1] then return 0 end
local longest = redis.call('HMGET', state, 'longest_lifetime', 'longest_staleness', 'replica_lag')
redis.call('HSET', state,
  'incarnation', ARGV[2],
  'replication_id', replicationId(),
  'since', nowMs(),
  'first', ARGV[3],
  'whole_since', ARGV[4],
  'longest_lifetime', math.max(tonumber(longest[1] or 0), tonumber(ARGV[5])),
  'longest_staleness', math.max(tonumber(longest[2] or 0), tonumber(ARGV[6])),
  'replica_lag', math.max(tonumber(longest[3] or 0), tonumber(ARGV[7])))
redis.call('HDEL', state, 'lock', 'lock_replication_id', 'lock_at')
return 1
`,
);

/**
 * Takes damaged buckets away as a whole, and the notes of their damage.
 *
 * KEYS    state, index of tokens, index of unrecorded tokens, index of cut-offs
 * ARGV    prefix of all keys, lock, then names of buckets
 * returns 1, or 0 when the lock was lost
 */
export const discardScript = createScript(
  writes,
  validity,
  repairLock,
  `
local state = KEYS[1]
if lockHolder(state) ~= ARGV[2] then return 0 end
redis.call('HSET', state, 'lock_at', nowMs())
local indexes = { tokens = KEYS[2], unrecorded = KEYS[3], ['cut-offs'] = KEYS[4] }
for at = 3, #ARGV do
  local kind, number = string.match(ARGV[at], '^([%a-]+):(%d+)$')
  if kind and indexes[kind] then
    redis.call('UNLINK', ARGV[1] .. ARGV[at])
    redis.call('ZREM', indexes[kind], number)
  end
  redis.call('HDEL', state, 'damaged:' .. ARGV[at])
end
return 1
`,
);

/**
 * Whether a bucket is gone before its time: deleted, or evicted. In one step, so that none is taken for gone that
 * expires in between; and by more than the clock error allowed, so that none is that expired before the clock was set
 * back. What it held has expired by then.
 *
 * KEYS    index of the bucket's kind, bucket
 * ARGV    the bucket's number
 * returns 1 or 0
 */
export const isGoneScript = createScript(
  readsOnly,
  validity,
  `
local diesAt = redis.call('ZSCORE', KEYS[1], ARGV[1])
if not diesAt or tonumber(diesAt) * 1000 <= nowMs() + ${clockErrorAllowedMs} then return 0 end
return 1 - redis.call('EXISTS', KEYS[2])
`,
);
