import { clockErrorAllowedMs } from "../../revocation/addition.ts";

/*
 * The state is one hash: what the store notes about itself. A state that cannot be read is no state: one field that is not
 * as we write it, or missing beside an incarnation, and nothing of it counts. So whoever writes into it, or takes a part
 * of it away, makes the store invalid, and the repair takes it away and prepares it anew.
 *
 * incarnation, replication_id, since, first, whole_since: see `StoreState`; the server's id when it was set
 * head: stream id of the latest addition            registered: how many instances are
 * longest_lifetime, longest_staleness, longest_version: of the fence      replica_lag: in milliseconds
 * lock, lock_replication_id, lock_at: who repairs it; on which server; when he last showed life
 * wanted:<lifetime>:<staleness>: how often an instance wanted the fence to cover these     damaged:<bucket>: "1"
 */

/**
 * replicationId(): the server's: another one after a fail-over and after a restart.
 * stateIn(key): the fields that are there, by name; false for a state that cannot be read.
 */
const reading = `
local function replicationId()
  return string.match(redis.call('INFO', 'replication'), 'master_replid:(%x+)')
end

local function isNumber(value) return #value <= 15 and string.match(value, '^%d+$') end
local function isTime(value) return value == '-' or isNumber(value) end
local function isText(value) return #value > 0 end
local function isPosition(value)
  local milliseconds, sequence = string.match(value, '^(%d+)%-(%d+)$')
  return milliseconds and #milliseconds <= 16 and #sequence <= 10
end

local neededFields = {
  incarnation = isText, replication_id = isText, since = isNumber, first = isNumber, whole_since = isTime,
  head = isPosition, registered = isNumber, longest_lifetime = isNumber, longest_staleness = isNumber,
  longest_version = isNumber, replica_lag = isNumber,
}
local lockFields = { lock = isText, lock_replication_id = isText, lock_at = isNumber }

local function readFields(key, fields, state)
  local names = {}
  for name in pairs(fields) do names[#names + 1] = name end
  for at, value in ipairs(redis.call('HMGET', key, unpack(names))) do
    if value and not fields[names[at]](value) then return false end
    state[names[at]] = value
  end
  return true
end

local function stateIn(key)
  local kind = redis.call('TYPE', key)['ok']
  if kind ~= 'hash' and kind ~= 'none' then return false end
  local state = {}
  if not readFields(key, neededFields, state) or not readFields(key, lockFields, state) then return false end
  for name in pairs(neededFields) do
    if state.incarnation and not state[name] then return false end
  end
  return state
end
`;

/**
 * foreignKeys(keys): which of the namespace's fixed keys somebody else wrote, being of another type than ours: state,
 * instances, feed, index of tokens, index of unrecorded tokens, index of cut-offs, in this order.
 * isOwnFeed(feed, head): whether the feed goes on from the head. One that somebody has deleted may give a position out
 * again; one into which somebody wrote an id far ahead of the server's time gives out such positions from then on, and
 * none after the greatest.
 */
const soundness = `
local function foreignKeys(keys)
  local types = { 'hash', 'hash', 'stream', 'zset', 'zset', 'zset' }
  local foreign = {}
  for at, key in ipairs(keys) do
    local found = redis.call('TYPE', key)['ok']
    if found ~= 'none' and found ~= types[at] then foreign[#foreign + 1] = key end
  end
  return foreign
end

local function partsOfId(id)
  local milliseconds, sequence = string.match(id, '^(%d+)%-(%d+)$')
  return tonumber(milliseconds), tonumber(sequence)
end

local function isOwnFeed(feed, head)
  if redis.call('EXISTS', feed) == 0 then return head == '0-0' end
  local about, last = redis.call('XINFO', 'STREAM', feed), '0-0'
  for at = 1, #about, 2 do
    if about[at] == 'last-generated-id' then last = about[at + 1] end
  end
  local milliseconds, sequence = partsOfId(last)
  local headMilliseconds, headSequence = partsOfId(head)
  if milliseconds > nowMs() + ${clockErrorAllowedMs} then return false end
  return milliseconds > headMilliseconds or milliseconds == headMilliseconds and sequence >= headSequence
end
`;

/**
 * validIncarnation(keys, state): of the fixed keys, with the state that was read from the first: the incarnation, or
 * false while the store is invalid: there is none, the server has another replication id than the one under which it was
 * set, one of the keys is somebody else's, or instances are missing that were registered.
 * lockHolder(state): the repair lock, or false while there is none or the server has another replication id than the
 * one under which it was taken: a chunk that the server before had confirmed may be missing then.
 */
const validity = `
local function validIncarnation(keys, state)
  if not state or not state.incarnation or state.replication_id ~= replicationId() then return false end
  if #foreignKeys(keys) > 0 or not isOwnFeed(keys[3], state.head) then return false end
  return redis.call('HLEN', keys[2]) == tonumber(state.registered) and state.incarnation
end

local function lockHolder(state)
  return state and state.lock and state.lock_replication_id == replicationId() and state.lock
end
`;

/** For scripts that have `time` before it. */
export const state = [reading, soundness, validity].join("\n");
