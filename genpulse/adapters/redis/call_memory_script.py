"""What is done to the memory of calls inside Redis: many steps at once, each all or nothing."""

STEPS = """
local prefix, process, channels = KEYS[1], ARGV[1], ARGV[2]
local kept_ms, most = tonumber(ARGV[3]), tonumber(ARGV[4])
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local alive = {}
local order = {lost = 1, refused = 2, answered = 3, open = 4}

-- Whoever listens to its channel is alive: the connection of a process that was killed is closed at once.
local function is_gone(owner)
  if channels == '' or owner == process or owner == '' then return false end
  if alive[owner] == nil then alive[owner] = redis.call('PUBLISH', channels .. owner, '') > 0 end
  return not alive[owner]
end

local function write(name, key, state, began)
  redis.call('HSET', name, key, state .. ' ' .. string.format('%d', began) .. ' ' .. process)
  redis.call('PEXPIRE', name, kept_ms)
end

local function take(name, new_key, repeats)
  local best = nil
  local found = redis.call('HGETALL', name)
  for i = 1, #found, 2 do
    local key = found[i]
    local state, began, owner = string.match(found[i + 1], '^(%a+) (%d+) (.*)$')
    began = tonumber(began)
    if state == nil or now - began > kept_ms then
      redis.call('HDEL', name, key)
    else
      if state == 'open' and is_gone(owner) then state = 'lost' end
      if state == 'lost' or repeats then
        local rank = order[state]
        local after = best and (began > best.began or (began == best.began and key > best.key))
        if best == nil or rank < best.rank
           or (rank == best.rank and ((rank == 1 and not after) or (rank > 1 and after))) then
          best = {key = key, rank = rank, began = began}
        end
      end
    end
  end
  if best then
    write(name, best.key, 'open', best.began)
    return best.key
  end
  if not repeats then write(name, new_key, 'open', now) end
  return new_key
end

-- Of many that were answered the newest are kept: no other one is ever meant.
local function forget_answered(name)
  if redis.call('HLEN', name) <= most then return end
  local found, oldest, oldest_at = redis.call('HGETALL', name), nil, nil
  for i = 1, #found, 2 do
    local state, began = string.match(found[i + 1], '^(%a+) (%d+) ')
    began = tonumber(began)
    if state == 'answered' and (oldest == nil or began < oldest_at) then oldest, oldest_at = found[i], began end
  end
  if oldest then redis.call('HDEL', name, oldest) end
end

local function note(name, key, state)
  local known = redis.call('HGET', name, key)
  local began = known and string.match(known, '^%a+ (%d+) ')
  write(name, key, state, began and tonumber(began) or now)
  if state == 'answered' then forget_answered(name) end
  return ''
end

local answers = {}
for i, step in ipairs(cjson.decode(ARGV[5])) do
  local name = prefix .. step[1]
  if step[3] == 'take' then
    answers[i] = take(name, step[2], step[4])
  else
    answers[i] = note(name, step[2], step[3])
  end
end
return answers
"""
"""KEYS[1]: with what the names of keys begin. ARGV: this process; with what the channels of processes begin, or
nothing where nobody can be asked; milliseconds for which a call is remembered; how many calls are kept of one
digest; the steps as JSON: digest, key, `take` or a state, whether the client says that it repeats.

A call is kept as `state began_ms process` under its key. Answers with the key of each take."""
