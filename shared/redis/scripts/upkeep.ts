import { createScript, time, writes } from "./script.ts";

/**
 * Removes the oldest feed entries, page by page. The stream keeps its last id, so positions go on growing.
 *
 * KEYS    feed
 * ARGV    how long entries are kept in ms, entries at most
 * returns how many went
 */
export const trimFeedScript = createScript(
  writes,
  time,
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
  time,
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
