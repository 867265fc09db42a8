import { createScript, foreignKeys, readsOnly, validity, writes } from "./script.ts";

/*
 * An instance is one text: incarnation or "-", stream id of its position, maxStaleness in ms, entries, sync count,
 * last sync in ms, signed off in ms or "-".
 */

/**
 * Registers the instance and gives it what follows its position. The sync count starts at the server's time, so
 * that an instance that was forgotten, or set back by a fail-over, never shows a count that it had before.
 * Entries follow only a position under the store's own incarnation.
 *
 * KEYS    state, feed, instances
 * ARGV    prefix of all keys, instance id, incarnation or "-", stream id, maxStaleness in ms, entries,
 *         entries at most, bytes at most (of which the last entry may exceed)
 * returns {incarnation or "" while invalid, stream id of the head, feed entries as of XRANGE}
 */
export const syncScript = createScript(
  writes,
  validity,
  `
local state, feed, instances = KEYS[1], KEYS[2], KEYS[3]
local id, reported, position = ARGV[2], ARGV[3], ARGV[4]
local now = nowMs()
local before = redis.call('HGET', instances, id)
local count = now
local moved = true
if before then
  local itsIncarnation, itsPosition, itsCount = string.match(before, '^(%S+) (%S+) %S+ %S+ (%d+)')
  count = math.max(tonumber(itsCount or 0) + 1, now)
  moved = itsIncarnation ~= reported or itsPosition ~= position
end
redis.call('HSET', instances, id, string.format('%s %s %s %s %.0f %.0f -', reported, position, ARGV[5], ARGV[6], count, now))
if moved then redis.call('PUBLISH', ARGV[1] .. 'progress', 'report ' .. id) end

local incarnation = validIncarnation(state)
local entries = {}
if incarnation and incarnation == reported then
  local most, bytesLeft, last = tonumber(ARGV[7]), tonumber(ARGV[8]), position
  while #entries < most and bytesLeft > 0 do
    local page = redis.call('XRANGE', feed, '(' .. last, '+', 'COUNT', math.min(50, most - #entries))
    if #page == 0 then break end
    for _, entry in ipairs(page) do
      if bytesLeft <= 0 then break end
      for _, part in ipairs(entry[2]) do bytesLeft = bytesLeft - #part end
      entries[#entries + 1] = entry
      last = entry[1]
    end
  end
end
return { incarnation or '', headOf(state), entries }
`,
);

/**
 * Notes that an instance accepts no tokens any more; does nothing for one that is not registered.
 *
 * KEYS    instances
 * ARGV    prefix of all keys, instance id
 * returns 1 or 0
 */
export const signOffScript = createScript(
  writes,
  validity,
  `
local text = redis.call('HGET', KEYS[1], ARGV[2])
if not text then return 0 end
redis.call('HSET', KEYS[1], ARGV[2], (string.gsub(text, '%S+$', string.format('%.0f', nowMs()))))
redis.call('PUBLISH', ARGV[1] .. 'progress', 'report ' .. ARGV[2])
return 1
`,
);

/**
 * Forgets instances whose sync count is still the given one; what cannot be read counts as 0.
 *
 * KEYS    instances
 * ARGV    id and sync count of each
 * returns how many went
 */
export const removeInstancesScript = createScript(
  writes,
  `
local gone = 0
for at = 1, #ARGV, 2 do
  local text = redis.call('HGET', KEYS[1], ARGV[at])
  local count = text and (string.match(text, '^%S+ %S+ %S+ %S+ (%d+)') or '0')
  if count == ARGV[at + 1] then gone = gone + redis.call('HDEL', KEYS[1], ARGV[at]) end
end
return gone
`,
);

/**
 * What the store is now, and who is registered, in one read. A store of whose fixed keys one is somebody else's is
 * invalid: the repair takes that key away.
 *
 * Who is registered counts as a write, though it changes nothing: a primary that has lost its replicas refuses it, so
 * nobody takes those for silent who follow the one that was promoted in its place.
 *
 * KEYS    state, instances, feed, index of tokens, index of unrecorded tokens, index of cut-offs
 * ARGV    "instances" or ""
 * returns {incarnation or "" while invalid, since, "1" if the first, since when it is whole or "-", stream id of the
 *         head, longest lifetime, longest staleness, now, replica lag in milliseconds, then id and text of each instance}
 */
const readState = `
local state = KEYS[1]
local now = string.format('%.0f', nowMs())
if #foreignKeys({ state }) > 0 then return { '', '0', '0', '-', '0-0', '0', '0', now, '0' } end
local isForeign = #foreignKeys(KEYS) > 0
local fields = redis.call('HMGET', state,
  'since', 'first', 'whole_since', 'longest_lifetime', 'longest_staleness', 'replica_lag')
local answer = {
  not isForeign and validIncarnation(state) or '', fields[1] or '0', fields[2] or '0', fields[3] or '-', headOf(state),
  fields[4] or '0', fields[5] or '0', now, fields[6] or '0',
}
if ARGV[1] == 'instances' and not isForeign then
  for _, part in ipairs(redis.call('HGETALL', KEYS[2])) do answer[#answer + 1] = part end
end
return answer
`;

export const readStateScript = createScript(readsOnly, validity, foreignKeys, readState);
export const readInstancesScript = createScript(writes, validity, foreignKeys, readState);
