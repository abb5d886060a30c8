-- The generic cell rate algorithm, as a limiter of events. A key holds when all of its capacity is there again, which is as exact as
-- a clock: whole microseconds, and parts of one, of which ARGV[3] are a microsecond. All numbers are integers below 2^53, where doubles
-- have no rounding. One that is not there stands for a time that has passed.
--
-- ARGV: what these events take up, in microseconds and parts; the parts of a microsecond; what the capacity takes up.
-- The answer: 1 or 0 for allowed or refused, and how long it now takes until all is there again, in microseconds and parts.
local cost, costParts, parts = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local full, fullParts = tonumber(ARGV[4]), tonumber(ARGV[5])

local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]

local left, leftParts = 0, 0
local state = redis.pcall('GET', KEYS[1])
if state then
  if type(state) == 'table' and not string.find(state.err, 'WRONGTYPE', 1, true) then
    return state -- such as that this user may not read
  end
  local at, atParts = nil, nil
  if type(state) == 'string' then
    at, atParts = string.match(state, '^(%d+) (%d+)$')
  end
  if not at then
    return redis.error_reply('FOREIGN the key holds something else')
  end
  left, leftParts = at - now, tonumber(atParts)
  if left < 0 then
    left, leftParts = 0, 0
  elseif left > full or (left == full and leftParts > fullParts) then
    left, leftParts = full, fullParts -- the clock went back, or the capacity was more
  end
  if leftParts >= parts then
    leftParts = 0 -- the limit was another
  end
end

local after, afterParts = left + cost, leftParts + costParts
if afterParts >= parts then
  after, afterParts = after + 1, afterParts - parts
end
if after > full or (after == full and afterParts > fullParts) then
  return {0, left, leftParts}
end
if after > left or afterParts > leftParts then
  -- A second more than it takes, since what a key expires by is coarser than this clock.
  redis.call('SET', KEYS[1], string.format('%.0f %.0f', now + after, afterParts), 'PX', math.floor(after / 1000) + 1000)
end
return {1, after, afterParts}
