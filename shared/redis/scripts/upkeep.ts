import { createScript, validity, writes } from "./script.ts";

/**
 * Raises or lowers the longest lifetime and the longest staleness in use.
 *
 * KEYS    state
 * ARGV    "max" or "min", longest lifetime in seconds, longest staleness in milliseconds
 * returns 1
 */
export const changeLongestScript = createScript(
  writes,
  `
local longest = redis.call('HMGET', KEYS[1], 'longest_lifetime', 'longest_staleness')
local pick = math[ARGV[1]]
redis.call('HSET', KEYS[1],
  'longest_lifetime', pick(tonumber(longest[1] or 0), tonumber(ARGV[2])),
  'longest_staleness', pick(tonumber(longest[2] or 0), tonumber(ARGV[3])))
return 1
`,
);

/**
 * Removes the oldest feed entries, page by page. The stream keeps its last id, so positions go on growing.
 *
 * KEYS    feed
 * ARGV    how long entries are kept in ms, entries at most
 * returns how many went
 */
export const trimFeedScript = createScript(
  writes,
  validity,
  `
local oldest, left, gone = nowMs() - tonumber(ARGV[1]), tonumber(ARGV[2]), 0
if oldest <= 0 then return 0 end
while left > 0 do
  local page = redis.call('XRANGE', KEYS[1], '-', string.format('(%.0f-0', oldest), 'COUNT', math.min(left, 100))
  if #page == 0 then break end
  local milliseconds, sequence = string.match(page[#page][1], '^(%d+)-(%d+)$')
  local minid = string.format('%s-%.0f', milliseconds, tonumber(sequence) + 1)
  redis.call('XTRIM', KEYS[1], 'MINID', '=', minid)
  gone = gone + #page
  left = left - #page
end
return gone
`,
);

/**
 * Removes buckets that have expired (the server may have done it already) from the indexes.
 *
 * KEYS    index of tokens, index of unrecorded tokens, index of cut-offs
 * ARGV    prefix of all keys, buckets of each kind at most, the three kinds as they stand in the keys of buckets
 * returns how many went
 */
export const purgeExpiredScript = createScript(
  writes,
  validity,
  `
local now, gone = math.floor(nowMs() / 1000), 0
for at, index in ipairs(KEYS) do
  for _, bucket in ipairs(redis.call('ZRANGEBYSCORE', index, '-inf', now, 'LIMIT', 0, tonumber(ARGV[2]))) do
    redis.call('UNLINK', ARGV[1] .. ARGV[at + 2] .. ':' .. bucket)
    redis.call('ZREM', index, bucket)
    gone = gone + 1
  end
end
return gone
`,
);
