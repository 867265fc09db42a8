import { createScript, time, writes } from "./script.ts";
import { state } from "./state.ts";

/**
 * An instance is one text: incarnation or "-", stream id of its position, maxStaleness in ms, token lifetime in seconds,
 * entries, sync count, last sync in ms, signed off in ms or "-".
 *
 * instanceIn(text): these in a table; false for what cannot be read.
 */
export const instanceText = `
local function instanceIn(text)
  local instance = { string.match(text, '^(%S+) (%d+%-%d+) (%d+) (%d+) (%d+) (%d+) (%d+) (%S+)$') }
  if #instance ~= 8 or not isPosition(instance[2]) or not isTime(instance[8]) then return false end
  for at = 3, 7 do
    if not isNumber(instance[at]) then return false end
  end
  return instance
end
`;

/**
 * Registers the instance and gives it what follows its position. The sync count starts at the server's time, so
 * that an instance that was forgotten, or set back by a fail-over, never shows a count that it had before.
 * Entries follow only a position under the store's own incarnation.
 *
 * The incarnation is what renews a lease. It is kept back where the longest values that are known to be in the fence do
 * not cover the instance's: a repair would forget that somebody may accept for so long. That they are wanted is noted.
 *
 * KEYS    the fixed keys
 * ARGV    prefix of all keys, instance id, incarnation or "-", stream id, maxStaleness in ms, token lifetime in seconds,
 *         entries, entries at most, bytes at most (of which the last entry may exceed)
 * returns {incarnation or "", stream id of the head, feed entries as of XRANGE, longest lifetime, longest staleness,
 *         1 or 0 where these do not cover the instance's}
 */
export const syncScript = createScript(
  writes,
  time,
  state,
  instanceText,
  `
local feed, instances = KEYS[3], KEYS[2]
local id, reported, position, staleness, lifetime = ARGV[2], ARGV[3], ARGV[4], ARGV[5], ARGV[6]
local now, state = nowMs(), stateIn(KEYS[1])
local text = redis.call('HGET', instances, id)
local before = text and instanceIn(text)
local count = math.max(before and tonumber(before[6]) + 1 or 0, now)
local moved = not before or before[1] ~= reported or before[2] ~= position
local registered = '%s %s %s %s %s %.0f %.0f -'
redis.call('HSET', instances, id,
  string.format(registered, reported, position, staleness, lifetime, ARGV[7], count, now))
if not text and state then state.registered = redis.call('HINCRBY', KEYS[1], 'registered', 1) end
if moved then redis.call('PUBLISH', ARGV[1] .. 'progress', 'report ' .. id) end

local incarnation, covered, entries = validIncarnation(KEYS, state), 1, {}
if not incarnation then return { '', state and state.head or '0-0', entries, 0, 0, covered } end

local longestLifetime, longestStaleness = tonumber(state.longest_lifetime), tonumber(state.longest_staleness)
if longestLifetime < tonumber(lifetime) or longestStaleness < tonumber(staleness) then
  redis.call('HINCRBY', KEYS[1], 'wanted:' .. lifetime .. ':' .. staleness, 1)
  incarnation, covered = '', 0
end
if incarnation == reported then
  local most, bytesLeft, last = tonumber(ARGV[8]), tonumber(ARGV[9]), position
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
return { incarnation, state.head, entries, longestLifetime, longestStaleness, covered }
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
  time,
  `
local text = redis.call('HGET', KEYS[1], ARGV[2])
if not text then return 0 end
redis.call('HSET', KEYS[1], ARGV[2], (string.gsub(text, '%S+$', string.format('%.0f', nowMs()))))
redis.call('PUBLISH', ARGV[1] .. 'progress', 'report ' .. ARGV[2])
return 1
`,
);

/**
 * Forgets instances whose sync count is still the given one; that of what cannot be read is 0.
 *
 * KEYS    state, instances
 * ARGV    id and sync count of each
 * returns how many went
 */
export const removeInstancesScript = createScript(
  writes,
  time,
  state,
  instanceText,
  `
local gone = 0
for at = 1, #ARGV, 2 do
  local text = redis.call('HGET', KEYS[2], ARGV[at])
  local instance = text and instanceIn(text)
  local count = instance and instance[6] or '0'
  if text and count == ARGV[at + 1] then gone = gone + redis.call('HDEL', KEYS[2], ARGV[at]) end
end
local state = stateIn(KEYS[1])
if gone > 0 and state and state.registered then redis.call('HINCRBY', KEYS[1], 'registered', -gone) end
return gone
`,
);
