"""A vendor that answers as it is told to, and keeps books of what it was asked."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import TypeAlias

from genpulse.provider import (
    Call,
    Immediate,
    Job,
    Output,
    PollInterval,
    Progress,
    Result,
    Submission,
    TwoPhase,
)
from tests.lifecycle.conftest import MEDIUM, Words

GOOD = MEDIUM + b"a fox"
Odd: TypeAlias = Exception | Progress | Result | None
"""What comes in place of a good answer; None is no answer at all."""


@dataclass
class Script:
    """What is answered in a phase: `odd`, `times` times, then what is good."""

    odd: Callable[[], Odd] | None = None
    times: int = 0

    async def play(self) -> Progress | Result | None:
        """An odd answer, or None when it is the turn of the good ones. Raises what it is told to."""
        if self.odd is None or self.times <= 0:
            return None
        self.times -= 1
        answer = self.odd()
        if answer is None:
            await asyncio.Event().wait()
        if isinstance(answer, Exception):
            raise answer
        return answer


@dataclass
class OddStudio(TwoPhase[Words]):
    """A vendor of jobs. Its `script` tells by phase what is odd; `keeps` whether a lost order was taken."""

    poll_interval = PollInterval(0.005, 1.5, 0.02)
    answer_s = 0.1
    collect_s = 0.1
    longest_s = 0.8
    script: dict[str, Script] = field(default_factory=dict)
    keeps: bool = True
    jobs: dict[str, str] = field(default_factory=dict)
    submits: int = 0
    asked: dict[str, int] = field(default_factory=dict)
    canceled: list[str] = field(default_factory=list)

    async def _play(self, phase: str) -> Progress | Result | None:
        self.asked[phase] = self.asked.get(phase, 0) + 1
        return await self.script.get(phase, Script()).play()

    async def submit(self, call: Call[Words]) -> Submission:
        self.submits += 1
        job_id = f"job-{self.submits}"
        if self.keeps:
            self.jobs[call.client_reference] = job_id
        await self._play("submit")
        self.jobs[call.client_reference] = job_id
        return Submission(job_id)

    async def poll(self, job: Job[Words]) -> Progress:
        odd = await self._play("poll")
        return odd if isinstance(odd, Progress) else Progress(1.0, done=True)

    async def collect(self, job: Job[Words]) -> Result:
        odd = await self._play("collect")
        return odd if isinstance(odd, Result) else Result((Output(Stream(self, GOOD)),))

    async def cancel(self, job: Job[Words]) -> None:
        self.canceled.append(job.id)
        await self._play("cancel")

    async def find(self, call: Call[Words]) -> Submission | None:
        await self._play("find")
        job_id = self.jobs.get(call.client_reference)
        return Submission(job_id) if job_id else None


@dataclass
class OddShop(Immediate[Words]):
    """A vendor that sells one answer for one request."""

    answer_s = 0.1
    script: dict[str, Script] = field(default_factory=dict)
    sold: int = 0
    asked: dict[str, int] = field(default_factory=dict)

    async def _play(self, phase: str) -> Progress | Result | None:
        self.asked[phase] = self.asked.get(phase, 0) + 1
        return await self.script.get(phase, Script()).play()

    async def generate(self, call: Call[Words]) -> Result:
        self.sold += 1
        odd = await self._play("submit")
        return odd if isinstance(odd, Result) else Result((Output(Stream(self, GOOD)),))


@dataclass
class Stream:
    """A download that begins anew each time."""

    vendor: OddStudio | OddShop
    content: bytes

    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield self.content[:3]
        await self.vendor._play("download")
        yield self.content[3:]


async def once(content: bytes) -> AsyncIterator[bytes]:
    """A stream that can be read once only."""
    yield content


async def broken(error: Exception, content: bytes = MEDIUM) -> AsyncIterator[bytes]:
    """A stream that breaks off."""
    yield content
    raise error
