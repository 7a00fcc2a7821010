"""Receiving output streams into spool files."""

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path

from genpulse.domain.errors import ContentTooLarge, OutputUnavailable, ProviderError, Unavailable
from genpulse.domain.failure import Charged
from genpulse.domain.task import WaitsFor
from genpulse.lifecycle.attempt.outputs.storing import Gap, Made, Piece, Whole, checked, paid, too_large
from genpulse.lifecycle.attempt.remote.questions import failure_of, is_plain
from genpulse.lifecycle.attempt.work import Work
from genpulse.provider import Output, PollInterval, Result
from genpulse.provider.http import AnswerTooLarge

LONGEST_S = 3600.0
"""How long the streams of an answer may take that cannot be asked for again, in seconds."""

_PAUSES = PollInterval()


class OutputReceiver:
    """What has come of a result. It may be taken more than once: what came whole is not read again.

    `once`: it is the same result each time, so that only a stream that begins anew each time can be read again.
    """

    def __init__(self, work: Work, *, once: bool = False) -> None:
        self._work = work
        self._once = once
        self._result = Result()
        self._pieces: dict[int, Piece] = {}
        self._gaps: dict[int, Gap] = {}
        self._lost: set[int] = set()

    @property
    def has_something(self) -> bool:
        """Whether any output came whole."""
        return bool(self._pieces)

    async def take(self, result: Result) -> Made:
        """Read all streams into files, which `work.files` removes.

        Raises what a stream raised that may be had later, after the other streams were read, and
        `OutputUnavailable` where nothing is left.
        """
        self._result = result
        later: Exception | None = None
        for index, output in enumerate(result.outputs):
            if index not in self._pieces and index not in self._lost:
                later = await self._read(index, output) or later
        if later is not None:
            raise later
        return self.made()

    def made(self) -> Made:
        """What came by now; what did not is missing. Raises `OutputUnavailable` where nothing did."""
        pieces = tuple(self._pieces[index] for index in sorted(self._pieces))
        gaps = tuple(self._gaps[index] for index in sorted(self._gaps))
        return checked(self._work, Made(pieces, self._result.cost, gaps, self._result.warnings))

    async def _read(self, index: int, output: Output) -> Exception | None:
        """What came in place of an output that may be had later."""
        self._gaps.pop(index, None)
        try:
            self._pieces[index] = Piece(await self._whole(output), index, is_text=output.is_text)
        except Exception as error:  # noqa: BLE001 - whatever a stream raises, its neighbours are kept
            self._gaps[index] = Gap(index, _words_of(error))
            if self._may_come(error, output):
                return error
            if self._once or isinstance(error, AnswerTooLarge) or isinstance(error.__cause__, ContentTooLarge):
                self._lost.add(index)
        return None

    def _may_come(self, error: Exception, output: Output) -> bool:
        if isinstance(error, ProviderError):
            may_come = not is_plain(error)
        elif isinstance(error, AnswerTooLarge):
            may_come = False
        else:
            may_come = not self._once or isinstance(error, OSError | Unavailable)
        return may_come and not (self._once and isinstance(output.content, AsyncIterator))

    async def _whole(self, output: Output) -> Whole:
        if isinstance(output.content, bytes | Path):
            return output.content
        services = self._work.services
        spool = services.storage.spool(output.content, limit_bytes=services.output_limit_bytes)
        try:
            return await self._work.files.enter_async_context(spool)
        except ContentTooLarge as error:
            raise too_large(error, paid(self._work)) from error


async def receive(work: Work, result: Result) -> Made:
    """The same for an answer that was paid for and cannot be asked for again.

    A stream that begins anew each time is read again for as long as the bounds say. Raises `OutputUnavailable`
    where nothing can be had.
    """
    receiver = OutputReceiver(work, once=True)
    try:
        async with asyncio.timeout(LONGEST_S):
            return await _taken(work, receiver, result)
    except TimeoutError:
        return receiver.made()
    finally:
        await work.report.go_on()


async def _taken(work: Work, receiver: OutputReceiver, result: Result) -> Made:
    tries, ends_at = 0, float("inf")
    while True:
        try:
            return await receiver.take(result)
        except OutputUnavailable:
            raise
        except Exception as error:  # noqa: BLE001 - it may be had later, and is paid for
            now = time.monotonic()
            ends_at = min(ends_at, now + work.services.bounds.unusable_s)
            if now >= ends_at:
                return receiver.made()
            await work.report.wait_for(WaitsFor.PROVIDER, failure_of(error, Charged.YES))
            await asyncio.sleep(min(_PAUSES.after(tries), ends_at - now))
            tries += 1


def _words_of(error: Exception) -> str:
    if isinstance(error, ProviderError):
        return error.message
    return f"It broke off while it came ({type(error).__name__}: {error})."
