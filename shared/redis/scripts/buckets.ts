import { clockErrorAllowedMs } from "../../revocation/addition.ts";
import { cutOffRecordBytes, tokenRecordBytes } from "../../revocation/packed-additions.ts";
import { generationSeconds, tokenBucketSeconds } from "../../revocation/retention.ts";

/** Lua hands a few thousand values to a function at most. */
const fieldsInACommand = 1_000;

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
 * Cut-offs: a live record of a subject may lie in any generation from now on, so all of them are asked, each once
 * for all subjects of a call: that is one command for each quarter of an hour of the longest lifetime.
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

  -- As text, as the index has it.
  local function generationOf(untilSeconds)
    return string.format('%d', math.floor(untilSeconds / ${generationSeconds}))
  end

  -- Of one call of putCutOffs: the live generations and those that it has written to; by generation, the records of the
  -- subjects that it is about, false where there is none.
  local live, known

  local function learn(generation, subjects)
    local records = {}
    known[generation] = records
    for from = 1, #subjects, ${fieldsInACommand} do
      local some = { unpack(subjects, from, math.min(from + ${fieldsInACommand - 1}, #subjects)) }
      local found = redis.call('HMGET', prefix .. 'cut-offs:' .. generation, unpack(some))
      for at, subject in ipairs(some) do records[subject] = found[at] end
    end
  end

  -- The numbers of the record that a generation has of a subject, or nil.
  local function cutOffIn(generation, subject)
    local record = known[generation][subject]
    if record and #record == ${cutOffRecordBytes} then return struct.unpack('>I8I8I4', record, 17) end
  end

  local function isNeedless(subject, epoch, notBefore, mustLiveUntil)
    for _, generation in ipairs(live) do
      local itsEpoch, itsNotBefore, itsUntil = cutOffIn(generation, subject)
      if itsEpoch and itsEpoch >= epoch and itsNotBefore >= notBefore
        and itsUntil * 1000 > nowMs and itsUntil >= mustLiveUntil then return true end
    end
    return false
  end

  -- Into what is known; 'changed' collects what is to be written.
  local function merge(changed, generation, record)
    local subject = string.sub(record, 1, 16)
    local itsEpoch, itsNotBefore, itsUntil = cutOffIn(generation, subject)
    if itsEpoch then
      local epoch, notBefore, untilSeconds = struct.unpack('>I8I8I4', record, 17)
      record = subject .. struct.pack(
        '>I8I8I4', math.max(epoch, itsEpoch), math.max(notBefore, itsNotBefore), math.max(untilSeconds, itsUntil))
    end
    known[generation][subject] = record
    -- Not before: what lies in a generation that the index lacks has to be written, so that the index gets it back.
    if not changed[generation] then live[#live + 1] = generation end
    collect(changed, generation, subject)
    collect(changed, generation, record)
  end

  local function writeCutOffs(changed)
    for generation, fields in pairs(changed) do
      for from = 1, #fields, ${2 * fieldsInACommand} do
        local to = math.min(from + ${2 * fieldsInACommand - 1}, #fields)
        redis.call('HSET', prefix .. 'cut-offs:' .. generation, unpack(fields, from, to))
      end
      keep(indexes.cutOffs, 'cut-offs', tonumber(generation), ${generationSeconds})
    end
  end

  -- Packed cut-offs; returns those that were written, with their raised 'until'. A live one that is as strict
  -- makes one needless, if it lives: 'any' long, as long as the 'raised' or as the 'given' until.
  function writer.putCutOffs(packed, mustLive)
    local subjects, bound = {}, {}
    for at = 1, #packed, ${cutOffRecordBytes} do
      local subject = string.sub(packed, at, at + 15)
      local given = struct.unpack('>I4', packed, at + 32)
      subjects[#subjects + 1] = subject
      collect(bound, generationOf(math.max(leastUntil, given)), subject)
    end
    known, live = {}, redis.call('ZRANGEBYSCORE', indexes.cutOffs, '(' .. nowSeconds, '+inf')
    for _, generation in ipairs(live) do learn(generation, subjects) end
    for generation, some in pairs(bound) do
      if not known[generation] then learn(generation, some) end
    end

    local written, changed = {}, {}
    for at = 1, #packed, ${cutOffRecordBytes} do
      local subject = string.sub(packed, at, at + 15)
      local epoch, notBefore, given = struct.unpack('>I8I8I4', packed, at + 16)
      local raised = math.max(leastUntil, given)
      local mustLiveUntil = mustLive == 'raised' and raised or mustLive == 'given' and given or 0
      if not isNeedless(subject, epoch, notBefore, mustLiveUntil) then
        local record = subject .. struct.pack('>I8I8I4', epoch, notBefore, raised)
        merge(changed, generationOf(raised), record)
        written[#written + 1] = record
      end
    end
    writeCutOffs(changed)
    return table.concat(written)
  end

  return writer
end
`;
