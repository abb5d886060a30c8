local calls, step = tonumber(ARGV[6]), tonumber(ARGV[7])
local begin = redis.call('TIME')
local now = begin[1] * 1000000 + begin[2]
local states = {}

local fake = {
  call = function(command, key, value)
    if command == 'TIME' then
      local micros = now % 1000000
      return {string.format('%.0f', (now - micros) / 1000000), string.format('%.0f', micros)}
    end
    assert(command == 'SET')
    states[key] = value
  end,
  pcall = function(command, key)
    assert(command == 'GET')
    return states[key] or false
  end,
}

local function take(redis, KEYS, ARGV)
  SOURCE
end

local allowed = 0
for _ = 1, calls do
  allowed = allowed + take(fake, KEYS, ARGV)[1]
  now = now + step
end
return allowed
