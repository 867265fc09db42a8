import { clockErrorAllowedMs } from "../../revocation/addition.ts";
import { cutOffRecordBytes, tokenRecordBytes } from "../../revocation/packed-additions.ts";
import { generationSeconds, tokenBucketSeconds } from "../../revocation/retention.ts";

/**
 * Writing into the buckets, for the scripts `add` and `repair`. A bucket is the key `<prefix><kind>:<number>`;
 * the sorted set `<prefix>index:<kind>` has its number, by the second at which the key expires.
 *
 * bucketWriter(prefix, indexes, nowMs, lifetime): `indexes` are the keys of the three sorted sets, `lifetime` the
 * longest one in use, in seconds.
 *
 * No record is left out for being expired, and no bucket dies before now plus the longest lifetime: whoever adds a
 * token knows that it may live, and the server's own clock, by which keys expire, may be ahead.
 *
 * Cut-offs: a live record of a subject may lie in any generation from now on, so all of them are asked. That is
 * one look-up for each quarter of an hour of the longest lifetime, and far fewer than the records in them.
 */
export const bucketWriter = `
local function bucketWriter(prefix, indexes, nowMs, lifetime)
  local nowSeconds = math.ceil(nowMs / 1000)
  local leastUntil = nowSeconds + lifetime
  local writer = {}

  local function diesAt(bucket, width) return (bucket + 1) * width + ${clockErrorAllowedMs / 1000} end

  local function keep(index, kind, bucket, width)
    local at = math.max(diesAt(bucket, width), leastUntil + ${clockErrorAllowedMs / 1000})
    if redis.call('EXPIREAT', prefix .. kind .. ':' .. bucket, at) == 1 then redis.call('ZADD', index, at, bucket) end
  end

  local function append(index, kind, width, records)
    for bucket, parts in pairs(records) do
      redis.call('APPEND', prefix .. kind .. ':' .. bucket, table.concat(parts))
      keep(index, kind, bucket, width)
    end
  end

  local function collect(records, bucket, record)
    local parts = records[bucket]
    if not parts then
      parts = {}
      records[bucket] = parts
    end
    parts[#parts + 1] = record
  end

  -- Packed tokens, each into the bucket of its own expiry minute; those of one minute side by side, as one piece.
  function writer.putTokens(packed)
    local records, first, current = {}, 1, nil
    for at = 1, #packed, ${tokenRecordBytes} do
      local bucket = math.floor(struct.unpack('>I4', packed, at + 16) / ${tokenBucketSeconds})
      if bucket ~= current then
        if current then collect(records, current, string.sub(packed, first, at - 1)) end
        first, current = at, bucket
      end
    end
    if current then collect(records, current, string.sub(packed, first)) end
    append(indexes.tokens, 'tokens', ${tokenBucketSeconds}, records)
  end

  -- Buckets of tokens that are there already, as numbers with spaces between: they live on as if written now.
  function writer.keepTokens(buckets)
    for bucket in string.gmatch(buckets, '%d+') do keep(indexes.tokens, 'tokens', tonumber(bucket), ${tokenBucketSeconds}) end
  end

  -- Packed unrecorded tokens; returns them with their raised 'until'.
  function writer.putUnrecorded(packed)
    local records, raised = {}, {}
    for at = 1, #packed, ${tokenRecordBytes} do
      local untilSeconds = math.max(leastUntil, (struct.unpack('>I4', packed, at + 16)))
      local record = string.sub(packed, at, at + 15) .. struct.pack('>I4', untilSeconds)
      raised[#raised + 1] = record
      collect(records, math.floor(untilSeconds / ${generationSeconds}), record)
    end
    append(indexes.unrecorded, 'unrecorded', ${generationSeconds}, records)
    return table.concat(raised)
  end

  local generations
  local kept = {}

  local function liveGenerations()
    if not generations then
      generations = redis.call('ZRANGEBYSCORE', indexes.cutOffs, '(' .. nowSeconds, '+inf')
    end
    return generations
  end

  -- The numbers of the record that a generation has of a subject, or nil.
  local function cutOffIn(generation, subject)
    local record = redis.call('HGET', prefix .. 'cut-offs:' .. generation, subject)
    if record and #record == ${cutOffRecordBytes} then return struct.unpack('>I8I8I4', record, 17) end
  end

  local function isNeedless(subject, epoch, notBefore, mustLiveUntil)
    for _, generation in ipairs(liveGenerations()) do
      local itsEpoch, itsNotBefore, itsUntil = cutOffIn(generation, subject)
      if itsEpoch and itsEpoch >= epoch and itsNotBefore >= notBefore
        and itsUntil * 1000 > nowMs and itsUntil >= mustLiveUntil then return true end
    end
    return false
  end

  local function merge(generation, subject, epoch, notBefore, untilSeconds)
    local itsEpoch, itsNotBefore, itsUntil = cutOffIn(generation, subject)
    if itsEpoch then
      epoch = math.max(epoch, itsEpoch)
      notBefore = math.max(notBefore, itsNotBefore)
      untilSeconds = math.max(untilSeconds, itsUntil)
    end
    local record = subject .. struct.pack('>I8I8I4', epoch, notBefore, untilSeconds)
    redis.call('HSET', prefix .. 'cut-offs:' .. generation, subject, record)
    -- All that is merged by one call lives equally long, so a generation is kept once.
    if kept[generation] then return end
    keep(indexes.cutOffs, 'cut-offs', generation, ${generationSeconds})
    kept[generation], generations = true, nil
  end

  -- Packed cut-offs; returns those that were written, with their raised 'until'. A live one that is as strict
  -- makes one needless, if it lives: 'any' long, as long as the 'raised' or as the 'given' until.
  function writer.putCutOffs(packed, mustLive)
    local written = {}
    for at = 1, #packed, ${cutOffRecordBytes} do
      local subject = string.sub(packed, at, at + 15)
      local epoch, notBefore, given = struct.unpack('>I8I8I4', packed, at + 16)
      local raised = math.max(leastUntil, given)
      local mustLiveUntil = mustLive == 'raised' and raised or mustLive == 'given' and given or 0
      if not isNeedless(subject, epoch, notBefore, mustLiveUntil) then
        merge(math.floor(raised / ${generationSeconds}), subject, epoch, notBefore, raised)
        written[#written + 1] = subject .. struct.pack('>I8I8I4', epoch, notBefore, raised)
      end
    end
    return table.concat(written)
  end

  return writer
end
`;
