"""Any order of calls, losses, refusals, repetitions and deaths leads to as many tasks as were meant.

Where nobody can know that, it never leads to more.
"""

import asyncio
from dataclasses import dataclass, field
from typing import Any, Literal

from hypothesis import example, given, settings
from hypothesis import strategies as st
from starlette.requests import Request
from starlette.responses import Response

from genpulse.adapters.memory.call_memory import MemoryCalls, SharedCalls
from genpulse.adapters.memory.queue.task_queue import MemoryTaskQueue
from genpulse.adapters.memory.tasks.store import MemoryTaskStore
from genpulse.adapters.memory.webhooks.deliveries import MemoryDeliveries
from genpulse.api.context import CALLER, Context
from genpulse.api.options import ApiOptions
from genpulse.dialects.repeated_calls import RepeatedCalls
from genpulse.domain.errors import DatabaseUnavailable, Refused
from genpulse.domain.keys.caller import WITHOUT_KEY
from tests.contract.conftest import new_task, now
from tests.drawn import examples

Fate = Literal["arrives", "breaks", "vanishes", "refused", "unavailable"]
PROCESSES = 3


class Broken(Exception):
    """The connection broke while the answer was written."""


@dataclass
class Known:
    """What the code under test looks at of all services."""

    store: MemoryTaskStore
    calls: MemoryCalls | None


@dataclass
class Intent:
    """A call that somebody means. `tries` counts those that came here; `answer` waits to be sent."""

    body: bytes
    tries: int = 0
    process: int = 0
    answer: Any = None
    done: bool = False

    @property
    def waits(self) -> bool:
        return not self.done and self.answer is None


@dataclass
class World:
    """Processes of the API before one store, and clients that say that they repeat, or do not."""

    says: bool
    shared: SharedCalls = field(default_factory=SharedCalls)
    intents: list[Intent] = field(default_factory=list)
    born: int = 0
    is_away: bool = False
    is_certain: bool = True

    def __post_init__(self) -> None:
        self.store = MemoryTaskStore(MemoryTaskQueue(), MemoryDeliveries(), now=now)
        self.memories: list[MemoryCalls] = []
        self.processes: list[RepeatedCalls] = []
        for _ in range(PROCESSES):
            self.memories.append(self._memory())
            self.processes.append(RepeatedCalls())

    def _memory(self) -> MemoryCalls:
        self.born += 1
        return MemoryCalls(self.shared, f"p{self.born}")

    def request(self, process: int) -> Request:
        known: Any = Known(self.store, None if self.is_away else self.memories[process])
        nothing: Any = None
        context = Context(known, ApiOptions(), nothing, nothing, asyncio.Event(), nothing)
        scope = {"type": "http", "method": "POST", "path": "/x", "headers": [], "query_string": b""}
        return Request(scope | {"genpulse.context": context, CALLER: WITHOUT_KEY})

    async def send(self, intent: Intent, process: int, fate: Fate) -> None:
        """A try of a call, which gets as far as its answer, or is refused."""

        async def handle(key: str) -> Response:
            if fate == "refused":
                raise Refused("Not now.")
            await self.store.submit(new_task(idempotency_key=key, fingerprint="f"))
            if fate == "unavailable":
                raise DatabaseUnavailable("It was committed, and nobody was told.")
            return Response(b"here you are")

        repeats = self.says and intent.tries > 0
        intent.tries += 1
        intent.process = process
        try:
            intent.answer = await self.processes[process].answer(
                self.request(process), intent.body, handle, says_repeated=repeats
            )
        except (Refused, DatabaseUnavailable):
            intent.answer = None

    async def end(self, intent: Intent, fate: Fate) -> None:
        """The answer is written, as far as it goes."""

        async def receive() -> Any:
            return {"type": "http.disconnect"}

        async def send(_message: Any) -> None:
            if fate == "breaks":
                raise Broken

        answer, intent.answer = intent.answer, None
        try:
            await answer(self.request(intent.process).scope, receive, send)
        except Broken:
            return
        intent.done = fate != "vanishes" or not self.says

    async def walk(self, step: str, number: int, process: int, fate: Fate) -> None:
        """One step of a script."""
        waiting = [one for one in self.intents if one.waits]
        answered = [one for one in self.intents if one.answer is not None]
        if step == "new":
            # Between a loss and its repetition nobody can know that this is another call.
            self.is_certain &= not (self.says and waiting)
            self.intents.append(Intent(b"a fox"))
            await self.send(self.intents[-1], process, fate)
        elif step == "again" and (intent := chosen(waiting, number)):
            await self.send(intent, process, fate)
        elif step == "end" and (intent := chosen(answered, number)):
            await self.end(intent, fate)
        elif step == "kill":
            self.kill(process)
        elif step in {"forget", "away"} and self.says:
            self.lose_redis(waiting, is_for_long=step == "away")

    def lose_redis(self, waiting: list[Intent], *, is_for_long: bool) -> None:
        """It has forgotten all, or is away until the next time that it goes for long."""
        self.shared.calls.clear()
        self.is_away ^= is_for_long
        # What was refused or lost before that may be taken for an equal call that was answered.
        self.is_certain &= not (waiting or self.is_away)

    def kill(self, process: int) -> None:
        self.memories[process].die()
        self.memories[process] = self._memory()
        self.processes[process] = RepeatedCalls()
        for intent in self.intents:
            if intent.process == process:
                intent.answer = None

    def count(self, body: bytes) -> int:
        """Tasks of calls with this body: the keys say it."""
        return len(self.store._keys)


steps = st.lists(
    st.tuples(
        st.sampled_from(["new", "again", "again", "end", "end", "kill", "forget", "away"]),
        st.integers(0, 5),
        st.integers(0, PROCESSES - 1),
        st.sampled_from(["arrives", "arrives", "breaks", "vanishes", "refused", "unavailable"]),
    ),
    max_size=30,
)


FORGET = ("forget", 0, 0, "arrives")


def chosen(intents: list[Intent], number: int) -> Intent | None:
    return intents[number % len(intents)] if intents else None


async def walked(says: bool, script: list[tuple[str, int, int, Fate]]) -> World:
    world = World(says)
    for step in script:
        await world.walk(*step)
        await asyncio.sleep(0)
    for intent in world.intents:
        while not intent.done:
            if intent.waits:
                await world.send(intent, 0, "arrives")
            await world.end(intent, "arrives")
    return world


@settings(max_examples=examples(400), deadline=None)
@given(st.booleans(), steps)
@example(True, [("new", 0, 0, "refused"), FORGET, ("again", 0, 1, "arrives"), ("end", 0, 0, "breaks"), FORGET])
def test_there_are_as_many_tasks_as_were_meant(says, script):
    world = asyncio.run(walked(says, script))
    assert world.count(b"a fox") <= len(world.intents)
    if world.is_certain:
        assert world.count(b"a fox") == len(world.intents)
