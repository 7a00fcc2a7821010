"""What all processes know of calls without an idempotency key, in Redis."""

import asyncio
import logging
import time
from typing import cast

from redis.asyncio import Redis, RedisCluster

from genpulse.adapters.redis.connection import AWAY, Outage, heed_cancellation
from genpulse.adapters.redis.keys import Keyspace
from genpulse.adapters.redis.listener import ChannelListener
from genpulse.adapters.redis.script import Script
from genpulse.background.loops import Loops
from genpulse.domain.submission.repeated_calls import REMEMBERED_S, CallState

ANSWER_S = 0.5
AWAY_S = 2.0
"""Seconds in which Redis is not asked again after it did not answer."""
QUIET_S = 30.0
_MOST_NOTES = 5_000

# KEYS[1]: the calls of one digest, key -> "state began_ms process".
# ARGV: new key, whether the client repeats (0 or 1), process, with what the channels of processes begin ('' where
# nobody can be asked), milliseconds for which a call is remembered.
# Whoever listens to its channel is alive: the connection of a process that was killed is closed at once.
_TAKE = """
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local alive = {}
local function is_gone(process)
  if ARGV[4] == '' or process == ARGV[3] or process == '' then return false end
  if alive[process] == nil then alive[process] = redis.call('PUBLISH', ARGV[4] .. process, '') > 0 end
  return not alive[process]
end
local best = {}
local order = {lost = 1, refused = 2, answered = 3, open = 4}
local found = redis.call('HGETALL', KEYS[1])
for i = 1, #found, 2 do
  local key = found[i]
  local state, began, process = string.match(found[i + 1], '^(%a+) (%d+) (.*)$')
  began = tonumber(began)
  if state == nil or now - began > tonumber(ARGV[5]) then
    redis.call('HDEL', KEYS[1], key)
  else
    if state == 'open' and is_gone(process) then state = 'lost' end
    if state == 'lost' or ARGV[2] == '1' then
      local rank = order[state]
      local after = best.key and (began > best.began or (began == best.began and key > best.key))
      if best.key == nil or rank < best.rank
         or (rank == best.rank and ((rank == 1 and not after) or (rank > 1 and after))) then
        best = {key = key, rank = rank, began = began}
      end
    end
  end
end
local key, began = best.key or ARGV[1], best.began or now
if best.key == nil and ARGV[2] == '1' then return key end
redis.call('HSET', KEYS[1], key, 'open ' .. string.format('%d', began) .. ' ' .. ARGV[3])
redis.call('PEXPIRE', KEYS[1], ARGV[5])
return key
"""
# ARGV: key, state, process, milliseconds for which a call is remembered.
_NOTE = """
local time = redis.call('TIME')
local known = redis.call('HGET', KEYS[1], ARGV[1])
local began = known and string.match(known, '^%a+ (%d+) ')
began = began or string.format('%d', time[1] * 1000 + math.floor(time[2] / 1000))
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2] .. ' ' .. began .. ' ' .. ARGV[3])
redis.call('PEXPIRE', KEYS[1], ARGV[4])
"""

_log = logging.getLogger(__name__)


class RedisCalls:
    """Implements `CallMemory` for the process of this id.

    In a cluster of Redis nobody can be asked whether a process is alive: there a call that was under way in one
    that died is found by the word of its client alone.
    """

    def __init__(self, client: Redis, keys: Keyspace, process: str, loops: Loops | None = None) -> None:
        self._keys = keys
        self._process = process
        self._take = Script(client, _TAKE)
        self._note = Script(client, _NOTE)
        self._listener = ChannelListener(client, Outage(), _nothing, QUIET_S, loops or Loops())
        self._is_heard = False
        is_cluster = isinstance(cast("object", client), RedisCluster)
        self._channels = "" if is_cluster else keys.api_processes
        self._away_until = float("-inf")
        self._notes: set[asyncio.Task[None]] = set()

    async def take(self, digest: str, new_key: str, *, repeats: bool) -> str | None:
        """The key of the call that this one repeats; None where Redis is away."""
        if time.monotonic() < self._away_until:
            return None
        arguments = (new_key, int(repeats), self._process, self._channels, round(REMEMBERED_S * 1000))
        try:
            async with asyncio.timeout(ANSWER_S):
                await self._be_heard()
                key = await self._take(self._keys.calls(digest), arguments)
                heed_cancellation()
        except AWAY as error:
            heed_cancellation()
            self._went_away(error)
            return None
        return str(key)

    async def _be_heard(self) -> None:
        """Listen to the channel of this process, by which others see that it is alive."""
        if not self._is_heard and self._channels:
            self._is_heard = True
            await self._listener.join(f"{self._channels}{self._process}")

    def _went_away(self, error: Exception) -> None:
        _log.debug("repeated calls are known to this process alone: %s", error)
        self._away_until = time.monotonic() + AWAY_S

    def note(self, digest: str, key: str, state: CallState) -> None:
        """Note it soon; nothing where Redis is away."""
        if time.monotonic() < self._away_until or len(self._notes) >= _MOST_NOTES:
            return
        task = asyncio.create_task(self._write(digest, key, state))
        self._notes.add(task)
        task.add_done_callback(self._notes.discard)

    async def _write(self, digest: str, key: str, state: CallState) -> None:
        arguments = (key, state.value, self._process, round(REMEMBERED_S * 1000))
        try:
            await self._note(self._keys.calls(digest), arguments)
        except AWAY as error:
            self._went_away(error)

    async def close(self) -> None:
        """Write what waits, and be heard no more."""
        if self._notes:
            await asyncio.wait(self._notes, timeout=1.0)
        await self._listener.close()


def _nothing(_channel: str, _text: str) -> None:
    """Nobody says anything on these channels: it is asked alone whether they are listened to."""
