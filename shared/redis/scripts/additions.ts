import { bucketWriter } from "./buckets.ts";
import { createScript, repairLock, validity, writes } from "./script.ts";

/**
 * Adds to the buckets and to the feed, and announces it, unless the store is invalid or nothing is left to add.
 *
 * KEYS    state, feed, index of tokens, index of unrecorded tokens, index of cut-offs
 * ARGV    prefix of all keys, packed tokens, packed unrecorded tokens, packed cut-offs, "extend" or ""
 * returns {incarnation, stream id of the head}, or nil while the store is invalid
 *
 * Everything that can fail stands before the announcement.
 */
export const addScript = createScript(
  writes,
  validity,
  bucketWriter,
  `
local state, feed, prefix, tokens = KEYS[1], KEYS[2], ARGV[1], ARGV[2]
local incarnation = validIncarnation(state)
if not incarnation then return nil end

local lifetime = tonumber(redis.call('HGET', state, 'longest_lifetime') or 0)
local indexes = { tokens = KEYS[3], unrecorded = KEYS[4], cutOffs = KEYS[5] }
local writer = bucketWriter(prefix, indexes, nowMs(), lifetime)
writer.putTokens(tokens)
local unrecorded = writer.putUnrecorded(ARGV[3])
local cutOffs = writer.putCutOffs(ARGV[4], ARGV[5] == 'extend' and 'raised' or 'any')

local previous = headOf(state)
if #tokens + #unrecorded + #cutOffs == 0 then return { incarnation, previous } end

local id = redis.call('XADD', feed, '*', 'previous', previous, 't', tokens, 'u', unrecorded, 'c', cutOffs)
redis.call('HSET', state, 'head', id)
local header = table.concat({ #tokens, #unrecorded, #cutOffs, previous, id, incarnation }, ' ')
redis.call('PUBLISH', prefix .. 'announcements', header .. '\\n' .. tokens .. unrecorded .. cutOffs)
return { incarnation, id }
`,
);

/**
 * Writes what a repair restores, outside the feed.
 *
 * KEYS    state, index of tokens, index of unrecorded tokens, index of cut-offs
 * ARGV    prefix of all keys, lock, packed tokens, packed unrecorded tokens, packed cut-offs, buckets of the tokens
 *         that are there already, with spaces between
 * returns 1, or 0 when the lock was lost
 */
export const repairScript = createScript(
  writes,
  validity,
  repairLock,
  bucketWriter,
  `
local state = KEYS[1]
if lockHolder(state) ~= ARGV[2] then return 0 end
redis.call('HSET', state, 'lock_at', nowMs())
local lifetime = tonumber(redis.call('HGET', state, 'longest_lifetime') or 0)
local indexes = { tokens = KEYS[2], unrecorded = KEYS[3], cutOffs = KEYS[4] }
local writer = bucketWriter(ARGV[1], indexes, nowMs(), lifetime)
writer.putTokens(ARGV[3])
writer.putUnrecorded(ARGV[4])
writer.putCutOffs(ARGV[5], 'given')
writer.keepTokens(ARGV[6])
return 1
`,
);
