import { repairLockMs } from "../../ports/revocation-store.ts";
import { clockErrorAllowedMs } from "../../revocation/addition.ts";
import { longestConfirming } from "./longest.ts";
import { createScript, readsOnly, time, writes } from "./script.ts";
import { state } from "./state.ts";

/**
 * Takes the lock, with the server's time and replication id, and takes the incarnation away, the longest values, which the
 * fence is asked for anew, and what is unsound: a state that cannot be read, every fixed key that is somebody else's, a feed
 * that does not go on from the head. What one of those had held is lost: nothing counts as found then.
 *
 * KEYS    the fixed keys
 * ARGV    lock, then locks that are taken over at once
 * returns {incarnation that was found or "", stream id of the head, now, {keys that were taken away}}, or nil while somebody else has the lock
 */
export const beginRepairScript = createScript(
  writes,
  time,
  state,
  `
local key, instances, feed = KEYS[1], KEYS[2], KEYS[3]
local recorded = stateIn(key)
local state = recorded or {}
local holder = lockHolder(state)
for _, lock in ipairs(ARGV) do
  if holder == lock then holder = false end
end
if holder then
  local ageMs = nowMs() - tonumber(state.lock_at or 0)
  if math.abs(ageMs) < ${repairLockMs} then return nil end
end

local unsound = foreignKeys(KEYS)
if not recorded then unsound[#unsound + 1] = key end
for _, one in ipairs(unsound) do redis.call('UNLINK', one) end
local head = state.head or '0-0'
if not isOwnFeed(feed, head) or redis.call('EXISTS', feed) == 1 and not state.head then
  unsound[#unsound + 1] = feed
  redis.call('UNLINK', feed)
  head = '0-0'
end

local now = nowMs()
redis.call('HDEL', key, 'incarnation', 'replication_id', 'longest_lifetime', 'longest_staleness', 'longest_version')
redis.call('HSET', key, 'head', head, 'registered', redis.call('HLEN', instances),
  'lock', ARGV[1], 'lock_replication_id', replicationId(), 'lock_at', now)
return { #unsound == 0 and state.incarnation or '', head, now, unsound }
`,
);

/**
 * Makes the store valid, under the replication id that the server has now.
 *
 * KEYS    state
 * ARGV    lock, incarnation, "1" for the first of the namespace or "0", when the repair began that wrote all of it or
 *         "-", longest lifetime in seconds, longest staleness in milliseconds and their version of the fence, for how long
 *         a primary that was cut off takes writes, in milliseconds
 * returns 1, or 0 when the lock was lost
 */
export const completeRepairScript = createScript(
  writes,
  time,
  state,
  longestConfirming,
  `
local key, state = KEYS[1], stateIn(KEYS[1])
if lockHolder(state) ~= ARGV[1] then return 0 end
confirmLongest(key, state, ARGV[5], ARGV[6], ARGV[7])
redis.call('HSET', key,
  'incarnation', ARGV[2],
  'replication_id', replicationId(),
  'since', nowMs(),
  'first', ARGV[3],
  'whole_since', ARGV[4],
  'replica_lag', math.max(tonumber(state.replica_lag or 0), tonumber(ARGV[8])))
redis.call('HDEL', key, 'lock', 'lock_replication_id', 'lock_at')
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
  time,
  state,
  `
local state = KEYS[1]
if lockHolder(stateIn(state)) ~= ARGV[2] then return 0 end
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
  time,
  `
local diesAt = redis.call('ZSCORE', KEYS[1], ARGV[1])
if not diesAt or tonumber(diesAt) * 1000 <= nowMs() + ${clockErrorAllowedMs} then return 0 end
return 1 - redis.call('EXISTS', KEYS[2])
`,
);
