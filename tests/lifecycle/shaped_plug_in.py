"""A plug-in whose calls have drawn shapes, and its vendor, which counts what it was paid for."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import ClassVar, TypeVar

from genpulse.provider import (
    Call,
    Immediate,
    Job,
    Local,
    Output,
    PollInterval,
    Progress,
    Report,
    Result,
    Submission,
    TwoPhase,
)
from tests.lifecycle.conftest import MEDIUM, Words
from tests.lifecycle.plug_in_shapes import PLAIN, Shape

T = TypeVar("T")

STREAM = "stream"
CONTENT = MEDIUM + b"what was made"
TIMES = 2
"""So many calls of a kind have their shape; later ones are plain, and so are those of later attempts."""


@dataclass
class Shaped:
    """What its calls do, and what became of them. `takes`: an order is taken, and paid for, when it comes."""

    shapes: Mapping[str, Shape]
    takes: bool
    calls: Counter[str] = field(default_factory=Counter)
    paid: int = 0
    answered: bool = False
    inside: int = 0
    is_plain: bool = False
    left_behind: Collection[object] = ()
    faults: list[str] = field(default_factory=list)
    jobs: dict[str, str] = field(default_factory=dict)

    async def call(self, name: str, answer: Callable[[], T]) -> T:
        """A call of this name. One at a time."""
        with self._entered(name):
            return await self._shape(name).perform(answer)

    def _shape(self, name: str) -> Shape:
        self.calls[name] += 1
        is_plain = self.is_plain or self.calls[name] > TIMES
        return PLAIN if is_plain else self.shapes.get(name, PLAIN)

    @contextmanager
    def _entered(self, name: str) -> Iterator[None]:
        if self.inside > len(self.left_behind):
            self.faults.append(f"{name} is called while another call goes on")
        self.inside += 1
        try:
            yield
        finally:
            self.inside -= 1

    def outputs(self) -> tuple[Output, ...]:
        """A file, one that is streamed in one of the ways, and a file."""
        return (Output(CONTENT), Output(_Stream(self)), Output(CONTENT), Output(self.streamed()))

    async def streamed(self) -> AsyncIterator[bytes]:
        with self._entered(STREAM):
            yield CONTENT[:4]
            yield await self._shape(STREAM).perform(lambda: CONTENT[4:])

    def note_answer(self) -> None:
        """It was given, unless the call was left behind before."""
        self.answered = self.answered or asyncio.current_task() not in self.left_behind

    def sells(self) -> None:
        """Takes an order, if it does."""
        self.paid += self.takes


@dataclass
class _Stream:
    """One that begins anew each time."""

    shaped: Shaped

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self.shaped.streamed()


@dataclass
class ShapedLocal(Local[Words]):
    shaped: Shaped

    async def run(self, call: Call[Words], report: Report) -> Result:
        return await self.shaped.call("run", lambda: Result(self.shaped.outputs()))


@dataclass
class ShapedImmediate(Immediate[Words]):
    answer_s: ClassVar[float] = 0.2
    shaped: Shaped

    async def generate(self, call: Call[Words]) -> Result:
        self.shaped.sells()
        result = await self.shaped.call("generate", lambda: Result(self.shaped.outputs()))
        self.shaped.note_answer()
        return result


@dataclass
class ShapedJobs(TwoPhase[Words]):
    poll_interval: ClassVar[PollInterval] = PollInterval(0.01, 1.0, 0.01)
    answer_s: ClassVar[float] = 0.2
    collect_s: ClassVar[float] = 0.3
    longest_s: ClassVar[float] = 30.0
    can_cancel: ClassVar[bool] = True
    shaped: Shaped

    async def submit(self, call: Call[Words]) -> Submission:
        self.shaped.sells()
        if self.shaped.takes:
            self.shaped.jobs[call.client_reference] = f"job-{self.shaped.paid}"
        submission = await self.shaped.call("submit", lambda: Submission(f"job-{self.shaped.paid}"))
        self.shaped.note_answer()
        return submission

    async def poll(self, job: Job[Words]) -> Progress:
        done = self.shaped.calls["poll"] > 3
        return await self.shaped.call("poll", lambda: Progress(0.5, done=done))

    async def collect(self, job: Job[Words]) -> Result:
        return await self.shaped.call("collect", lambda: Result(self.shaped.outputs()))

    async def cancel(self, job: Job[Words]) -> None:
        await self.shaped.call("cancel", lambda: None)


@dataclass
class ListedJobs(ShapedJobs):
    """Its vendor has a list of jobs."""

    can_find: ClassVar[bool] = True

    async def find(self, call: Call[Words]) -> Submission | None:
        job_id = self.shaped.jobs.get(call.client_reference)
        return await self.shaped.call("find", lambda: Submission(job_id) if job_id else None)


ENGINES = {
    "local": (ShapedLocal, ("run",)),
    "immediate": (ShapedImmediate, ("generate",)),
    "jobs": (ShapedJobs, ("submit", "poll", "collect", "cancel")),
    "listed jobs": (ListedJobs, ("submit", "poll", "collect", "cancel", "find")),
}
