import { instanceText } from "./instances.ts";
import { createScript, readsOnly, time, writes } from "./script.ts";
import { state } from "./state.ts";

/**
 * What the store is now, and who is registered, in one read.
 *
 * Who is registered counts as a write, though it changes nothing: a primary that has lost its replicas refuses it, so
 * nobody takes those for silent who follow the one that was promoted in its place.
 *
 * KEYS    the fixed keys
 * ARGV    "instances" or ""
 * returns {incarnation or "" while invalid, since, "1" if the first, since when it is whole or "-", stream id of the
 *         head, now, replica lag in milliseconds, longest lifetime, longest staleness, their version,
 *         {lifetime, staleness and how often of each that is wanted},
 *         {id of each instance, then its parts, or nothing where it cannot be read}}
 */
const readState = `
local now, state, wanted, instances = nowMs(), stateIn(KEYS[1]), {}, {}
local incarnation = validIncarnation(KEYS, state) or ''
state = state or {}
local foreign = {}
for _, key in ipairs(foreignKeys(KEYS)) do foreign[key] = true end

if not foreign[KEYS[1]] then
  local parts = redis.call('HGETALL', KEYS[1])
  for at = 1, #parts, 2 do
    local lifetime, staleness = string.match(parts[at], '^wanted:(%d+):(%d+)$')
    if lifetime and isNumber(lifetime) and isNumber(staleness) and isNumber(parts[at + 1]) then
      wanted[#wanted + 1] = { lifetime, staleness, parts[at + 1] }
    end
  end
end
if ARGV[1] == 'instances' and not foreign[KEYS[2]] then
  local parts = redis.call('HGETALL', KEYS[2])
  for at = 1, #parts, 2 do instances[#instances + 1] = { parts[at], unpack(instanceIn(parts[at + 1]) or {}) } end
end
return {
  incarnation, state.since or '0', state.first or '0', state.whole_since or '-', state.head or '0-0', now,
  state.replica_lag or '0', state.longest_lifetime or '0', state.longest_staleness or '0',
  state.longest_version or '0', wanted, instances,
}
`;

export const readStateScript = createScript(readsOnly, time, state, instanceText, readState);
export const readInstancesScript = createScript(writes, time, state, instanceText, readState);
