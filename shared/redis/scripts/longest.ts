import { instanceText } from "./instances.ts";
import { createScript, time, writes } from "./script.ts";
import { state } from "./state.ts";

/**
 * Notes that an instance wants the fence to cover these.
 *
 * KEYS    state
 * ARGV    lifetime in seconds, staleness in milliseconds
 * returns 1, or 0 where the state cannot be read
 */
export const wantLongestScript = createScript(
  writes,
  time,
  state,
  `
if not stateIn(KEYS[1]) then return 0 end
redis.call('HINCRBY', KEYS[1], 'wanted:' .. ARGV[1] .. ':' .. ARGV[2], 1)
return 1
`,
);

/**
 * confirmLongest(key, state, lifetime, staleness, version): what a state of the fence held takes the place of what an
 * earlier one held. Two of one version: the fence was to be lowered to the one and was raised to the other instead.
 */
export const longestConfirming = `
local function confirmLongest(key, state, lifetime, staleness, version)
  local known = tonumber(state.longest_version or 0)
  if tonumber(version) < known then return end
  if tonumber(version) == known then
    lifetime = math.max(tonumber(lifetime), tonumber(state.longest_lifetime or 0))
    staleness = math.max(tonumber(staleness), tonumber(state.longest_staleness or 0))
  end
  redis.call('HSET', key, 'longest_lifetime', lifetime, 'longest_staleness', staleness, 'longest_version', version)
end
`;

/**
 * KEYS    state
 * ARGV    lifetime in seconds, staleness in milliseconds, version of the fence
 * returns 1, or 0 where the state cannot be read
 */
export const confirmLongestScript = createScript(
  writes,
  time,
  state,
  longestConfirming,
  `
local state = stateIn(KEYS[1])
if not state then return 0 end
confirmLongest(KEYS[1], state, ARGV[1], ARGV[2], ARGV[3])
return 1
`,
);

/**
 * Lowers the longest values, if all is still as it was seen: the incarnation and the values, nobody registered who has a
 * longer one (what cannot be read may have any), and nobody wanted a longer one since.
 *
 * KEYS    the fixed keys
 * ARGV    incarnation, lifetime and staleness as they were seen, as they are to be, version that the fence is to have,
 *         then lifetime, staleness and how often of each longer one that was seen to be wanted
 * returns 1 or 0
 */
export const lowerLongestScript = createScript(
  writes,
  time,
  state,
  instanceText,
  `
local key, lifetime, staleness, version = KEYS[1], tonumber(ARGV[4]), tonumber(ARGV[5]), ARGV[6]
local function isLonger(itsLifetime, itsStaleness)
  return tonumber(itsLifetime) > lifetime or tonumber(itsStaleness) > staleness
end

local state = stateIn(key)
if validIncarnation(KEYS, state) ~= ARGV[1] then return 0 end
if state.longest_lifetime ~= ARGV[2] or state.longest_staleness ~= ARGV[3] then return 0 end
if tonumber(state.longest_version) > tonumber(version) then return 0 end

for _, text in ipairs(redis.call('HVALS', KEYS[2])) do
  local instance = instanceIn(text)
  if not instance or isLonger(instance[4], instance[3]) then return 0 end
end

local seen, over = {}, {}
for at = 7, #ARGV, 3 do seen['wanted:' .. ARGV[at] .. ':' .. ARGV[at + 1]] = ARGV[at + 2] end
local parts = redis.call('HGETALL', key)
for at = 1, #parts, 2 do
  local itsLifetime, itsStaleness = string.match(parts[at], '^wanted:(%d+):(%d+)$')
  if itsLifetime and isLonger(itsLifetime, itsStaleness) then
    if seen[parts[at]] ~= parts[at + 1] then return 0 end
    over[#over + 1] = parts[at]
  end
end

redis.call('HSET', key, 'longest_lifetime', lifetime, 'longest_staleness', staleness, 'longest_version', version)
for _, field in ipairs(over) do redis.call('HDEL', key, field) end
return 1
`,
);
