import { bucketWriter } from "./buckets.ts";
import { createScript, time, writes } from "./script.ts";
import { state } from "./state.ts";

/**
 * Adds to the buckets and to the feed, and announces it, unless the store is invalid or nothing is left to add.
 *
 * KEYS    the fixed keys
 * ARGV    prefix of all keys, packed tokens, packed unrecorded tokens, packed cut-offs, "extend" or ""
 * returns {incarnation, stream id of the head}, or nil while the store is invalid
 *
 * Everything that can fail stands before the announcement.
 */
export const addScript = createScript(
  writes,
  time,
  state,
  bucketWriter,
  `
local feed, prefix, tokens = KEYS[3], ARGV[1], ARGV[2]
local state = stateIn(KEYS[1])
local incarnation = validIncarnation(KEYS, state)
if not incarnation then return nil end

local indexes = { tokens = KEYS[4], unrecorded = KEYS[5], cutOffs = KEYS[6] }
local writer = bucketWriter(prefix, indexes, nowMs(), tonumber(state.longest_lifetime))
writer.putTokens(tokens)
local unrecorded = writer.putUnrecorded(ARGV[3])
local cutOffs = writer.putCutOffs(ARGV[4], ARGV[5] == 'extend' and 'raised' or 'any')

local previous = state.head
if #tokens + #unrecorded + #cutOffs == 0 then return { incarnation, previous } end

local id = redis.call('XADD', feed, '*', 'previous', previous, 't', tokens, 'u', unrecorded, 'c', cutOffs)
redis.call('HSET', KEYS[1], 'head', id)
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
  time,
  state,
  bucketWriter,
  `
local state = stateIn(KEYS[1])
if lockHolder(state) ~= ARGV[2] then return 0 end
redis.call('HSET', KEYS[1], 'lock_at', nowMs())
local lifetime = tonumber(state.longest_lifetime or 0)
local indexes = { tokens = KEYS[2], unrecorded = KEYS[3], cutOffs = KEYS[4] }
local writer = bucketWriter(ARGV[1], indexes, nowMs(), lifetime)
writer.putTokens(ARGV[3])
writer.putUnrecorded(ARGV[4])
writer.putCutOffs(ARGV[5], 'given')
writer.keepTokens(ARGV[6])
return 1
`,
);
