"""The gate of one account inside Redis: `domain.gate.Gate` as a Lua program, one call an operation.

A property test holds the two against each other. The value is a JSON list of the gate's fields, to which versions
of this software only ever append: what an older one did not know is missing, what a newer one knows is dropped.
Anything else counts as a new gate and is written over.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass

from redis.asyncio import Redis

from genpulse.adapters.redis.script import Argument, Script
from genpulse.domain.failure import Failure
from genpulse.domain.provider_account.gate import (
    LONGEST_S,
    PROBE_S,
    Admission,
    Circuit,
    CircuitPolicy,
    Gate,
    asked_wait_s,
)
from genpulse.domain.provider_account.learned_concurrency import (
    CLOCK_SET_BACK_S,
    FORGOTTEN_S,
    RAISED_AFTER,
    RAISED_AFTER_S,
    REFUSED_AGAIN_AFTER,
    REFUSED_AGAIN_AFTER_S,
    LearnedConcurrency,
    Load,
)
from genpulse.domain.provider_account.rate import Rate
from genpulse.domain.provider_account.verdict import reason_of, verdict

KEPT_S = 2 * 3600
"""How long Redis remembers an account that nobody asks about: longer than any circuit is open."""

_CONSTANTS = f"""
local PROBE_S, LONGEST_S, KEPT_S = {PROBE_S}, {LONGEST_S}, {KEPT_S}
local RAISED_AFTER, RAISED_AFTER_S = {RAISED_AFTER}, {RAISED_AFTER_S}
local REFUSED_AGAIN_AFTER, REFUSED_AGAIN_AFTER_S = {REFUSED_AGAIN_AFTER}, {REFUSED_AGAIN_AFTER_S}
local FORGOTTEN_S, CLOCK_SET_BACK_S = {FORGOTTEN_S}, {CLOCK_SET_BACK_S}
"""

# Numbers go out as text, since Redis cuts them to integers. %.17g is the shortest format that loses nothing.
_PROGRAM = """
local FIELDS = {
  'next_at', 'failures', 'trips', 'shut_until', 'held_until', 'probing_until', 'reason', 'shut_since',
  'held_since', 'held_by', 'most', 'refused_at', 'lowered_at', 'changed_at', 'taken'
}
local FEWEST, TEXTS = 7, {reason = true, held_by = true}
local COUNTS = {failures = true, trips = true, most = true, refused_at = true, taken = true}
local operation, now, interval_s, at_once = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
if not now then
  local time = redis.call('TIME')
  now = tonumber(time[1]) + tonumber(time[2]) / 1e6
end

local function fits(field, value)
  if TEXTS[field] then return type(value) == 'string' end
  return type(value) == 'number' and math.abs(value) < 1e15
end

local function parsed(text)
  local new, gate = {}, {}
  for _, field in ipairs(FIELDS) do new[field] = TEXTS[field] and '' or 0 end
  local fine, kept = pcall(cjson.decode, text or '')
  if not fine or type(kept) ~= 'table' or #kept < FEWEST then return new end
  for place, field in ipairs(FIELDS) do
    gate[field] = kept[place]
    if place > #kept then gate[field] = new[field] end
    if not fits(field, gate[field]) then return new end
  end
  return gate
end

local function as_text(gate)
  local texts = {}
  for place, field in ipairs(FIELDS) do
    local value = gate[field]
    texts[place] = TEXTS[field] and cjson.encode(value) or string.format(COUNTS[field] and '%d' or '%.17g', value)
  end
  return '[' .. table.concat(texts, ',') .. ']'
end

local function learn(gate, most, refused_at, lowered_at, changed_at, taken)
  gate.most, gate.refused_at, gate.lowered_at = most, refused_at, lowered_at
  gate.changed_at, gate.taken = changed_at, taken
end

local function believe_learned(gate)
  local is_known = gate.lowered_at - CLOCK_SET_BACK_S <= now and now < gate.lowered_at + FORGOTTEN_S
  if not is_known then learn(gate, 0, 0, 0, 0, 0) end
end

local function lower(gate, running, age_s)
  if gate.most > 0 and now - age_s <= gate.lowered_at then return end
  local ran = gate.most > 0 and math.min(running, gate.most) or running
  if ran > 1 then learn(gate, math.floor(ran / 2), ran, now, now, 0) end
end

local function raise(gate, configured)
  believe_learned(gate)
  if gate.most == 0 then return learn(gate, 0, 0, 0, 0, 0) end
  local after, after_s = RAISED_AFTER, RAISED_AFTER_S
  if gate.most + 1 == gate.refused_at then
    after, after_s = REFUSED_AGAIN_AFTER * gate.most, REFUSED_AGAIN_AFTER_S
  end
  gate.taken = gate.taken + 1
  if gate.taken < after and now - gate.changed_at < after_s then return end
  if configured and gate.most + 1 >= configured then return learn(gate, 0, 0, 0, 0, 0) end
  learn(gate, gate.most + 1, gate.refused_at, gate.lowered_at, now, 0)
end

local function believe(gate)
  believe_learned(gate)
  if gate.shut_until > now + LONGEST_S then gate.shut_until = 0 end
  if gate.held_until > now + LONGEST_S then gate.held_until = 0 end
  if gate.probing_until > now + PROBE_S then gate.probing_until = 0 end
end

local function admit_by_rate(gate, count)
  if not interval_s then return count, 0 end
  local earlier_s, latest_at = (at_once - 1) * interval_s, now + at_once * interval_s
  local due_at, free = math.min(math.max(gate.next_at, now), latest_at), 0
  if now >= due_at - earlier_s then free = math.floor((now - due_at + earlier_s) / interval_s + 1e-6) + 1 end
  local granted = math.min(count, free)
  local next_at = due_at + granted * interval_s
  gate.next_at = granted > 0 and next_at or math.min(gate.next_at, latest_at)
  return granted, granted == count and 0 or math.max(next_at - earlier_s - now, 0)
end

local operations = {}

function operations.look() return 0, 0 end

function operations.admit(gate)
  believe(gate)
  local closed_until = math.max(gate.shut_until, gate.held_until)
  if closed_until > now then return 0, closed_until - now end
  local count = tonumber(ARGV[5])
  if gate.most > 0 then count = math.min(count, gate.most) end
  if gate.trips == 0 then return admit_by_rate(gate, count) end
  if gate.probing_until > now then return 0, gate.probing_until - now end
  local granted, wait_s = admit_by_rate(gate, 1)
  if granted == 0 then return granted, wait_s end
  gate.probing_until = now + PROBE_S
  return 1, PROBE_S
end

function operations.give_back(gate)
  gate.next_at = gate.next_at - tonumber(ARGV[5]) * (interval_s or 0)
  gate.probing_until = 0
  return 0, 0
end

function operations.answered(gate)
  gate.failures, gate.trips, gate.shut_until, gate.probing_until, gate.reason = 0, 0, 0, 0, ''
  gate.shut_since = 0
  return 0, 0
end

function operations.succeeded(gate)
  raise(gate, tonumber(ARGV[5]))
  return operations.answered(gate)
end

function operations.nothing(gate)
  gate.probing_until = 0
  return 0, 0
end

function operations.limited(gate)
  believe(gate)
  gate.probing_until = 0
  local running, age_s = tonumber(ARGV[11]), tonumber(ARGV[12])
  if running then lower(gate, running, age_s) end
  local until_at = now + tonumber(ARGV[5])
  if until_at <= math.max(gate.held_until, now) then return 0, 0 end
  if gate.held_until <= now then gate.held_since = now end
  gate.held_until, gate.held_by = until_at, ARGV[6]
  return 0, 0
end

function operations.trouble(gate)
  believe(gate)
  if gate.trips > 0 and now < gate.shut_until then return 0, 0 end
  gate.failures, gate.reason, gate.probing_until = gate.failures + 1, ARGV[6], 0
  if gate.failures < tonumber(ARGV[7]) and gate.trips == 0 then return 0, 0 end
  if gate.trips == 0 then gate.shut_since = now end
  gate.trips = gate.trips + 1
  local open_s = math.min(tonumber(ARGV[8]) * 2 ^ math.min(gate.trips - 1, 60), tonumber(ARGV[9]))
  open_s = open_s * (0.75 + tonumber(ARGV[10]) / 4)
  gate.shut_until = now + math.min(math.max(open_s, tonumber(ARGV[5])), LONGEST_S)
  return 0, 0
end

local found = redis.pcall('GET', KEYS[1])
if type(found) == 'table' then
  if not string.find(found.err, 'WRONGTYPE', 1, true) then return found end
  found = false
end
local gate = parsed(found)
local before, trips = as_text(gate), gate.trips
local granted, wait_s = operations[operation](gate)
local after = as_text(gate)
if after ~= before then redis.call('SET', KEYS[1], after, 'EX', KEPT_S) end
return {granted, string.format('%.17g', wait_s), string.format('%.17g', now), trips, after}
"""


@dataclass(frozen=True, slots=True)
class GateAnswer:
    """The answer of the script: what was let through, the gate since then, and how many trips it had before.

    `now` is the moment by which it was decided.
    """

    admission: Admission
    circuit: Circuit
    after: Gate
    trips_before: int
    now: float


class GateScript:
    """One method for each operation on the gate under a key; each is one round trip.

    `clock` tells the time in seconds where Redis' own, by which all workers agree, is not to count. All raise what
    the client raises.
    """

    def __init__(self, redis: Redis, clock: Callable[[], float] | None = None) -> None:
        self._script = Script(redis, _CONSTANTS + _PROGRAM)
        self._clock = clock

    async def look(self, key: str) -> GateAnswer:
        """Look at the gate without changing it."""
        return await self._ask(key, "look", None)

    async def admit(self, key: str, rate: Rate | None, count: int) -> GateAnswer:
        """Let at most `count` (1 or more) through."""
        return await self._ask(key, "admit", rate, count)

    async def give_back(self, key: str, rate: Rate | None, count: int) -> GateAnswer:
        """Take back the admissions of so many tasks that asked for nothing."""
        return await self._ask(key, "give_back", rate, count)

    async def succeeded(self, key: str, concurrency: int | None) -> GateAnswer:
        """Note that the account took a task. `concurrency` tasks may run at once, None: any number."""
        return await self._ask(key, "succeeded", None, "" if concurrency is None else concurrency)

    async def failed(
        self, key: str, failure: Failure, policy: CircuitPolicy, draw: float, load: Load | None = None
    ) -> GateAnswer:
        """Note that an attempt failed. `draw` is from 0.0 to 1.0; `load` is what the account bore, if known."""
        word = verdict(failure.code)
        opens = (policy.failures, policy.first_s, policy.longest_s, draw)
        bore = (load.running, load.age_s) if load else ("", "")
        return await self._ask(key, word, None, asked_wait_s(failure), reason_of(failure), *opens, *bore)

    async def _ask(self, key: str, operation: str, rate: Rate | None, *more: Argument) -> GateAnswer:
        now = "" if self._clock is None else self._clock()
        spread = (rate.interval_s, rate.at_once) if rate else ("", "")
        answer = await self._script(key, (operation, now, *spread, *more))
        granted, wait_s, moment, trips, text = answer
        gate = _gate(text)
        seats = (gate.learned.most or None) if operation == "admit" else None
        admission = Admission(int(granted), float(wait_s), seats)
        return GateAnswer(admission, gate.circuit(float(moment)), gate, int(trips), float(moment))


def _gate(text: str) -> Gate:
    next_at, failures, trips, shut_until, held_until, probing_until, reason, *later = json.loads(text)
    shut_since, held_since, held_by, *learned = later
    return Gate(
        next_at=float(next_at),
        failures=int(failures),
        trips=int(trips),
        shut_until=float(shut_until),
        held_until=float(held_until),
        probing_until=float(probing_until),
        reason=str(reason),
        shut_since=float(shut_since),
        held_since=float(held_since),
        held_by=str(held_by),
        learned=_learned(*learned),
    )


def _learned(most: int, refused_at: int, lowered_at: float, changed_at: float, taken: int) -> LearnedConcurrency:
    return LearnedConcurrency(int(most), int(refused_at), float(lowered_at), float(changed_at), int(taken))
