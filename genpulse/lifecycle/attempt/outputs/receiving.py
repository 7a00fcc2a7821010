"""Receiving the outputs of a result: streams go into the storage, or wait for it on this disk."""

import asyncio
import logging
import time
from collections.abc import AsyncIterable, AsyncIterator
from pathlib import Path

from genpulse.background.contained_tasks import NOBODY, as_exception
from genpulse.domain.assets.asset import Received
from genpulse.domain.errors import ContentTooLarge, LeaseLost, OutputUnavailable, ProviderError, Unavailable
from genpulse.domain.failure import Charged
from genpulse.domain.task import WaitsFor
from genpulse.lifecycle.attempt.attempt_run import AttemptRun
from genpulse.lifecycle.attempt.outputs.received import (
    MissingOutput,
    ReceivedOutput,
    ReceivedResult,
    Rereadable,
    check_not_all_missing,
    output_too_large,
)
from genpulse.lifecycle.attempt.vendor_errors import failure_of, is_final
from genpulse.provider import Output, PollInterval, Result
from genpulse.provider.http import AnswerTooLarge

_PAUSES = PollInterval()

_log = logging.getLogger(__name__)


class OutputReceiver:
    """Receives a result, in several tries where need be: what came whole is not read again.

    `once`: it is the same result in each try, so that only a stream that begins anew each time can be read again.
    """

    def __init__(self, run: AttemptRun, *, once: bool = False) -> None:
        self._run = run
        self._once = once
        self._result = Result()
        self._outputs: dict[int, ReceivedOutput] = {}
        self._missing: dict[int, MissingOutput] = {}
        self._given_up: set[int] = set()

    @property
    def has_outputs(self) -> bool:
        """Whether any output came whole."""
        return bool(self._outputs)

    async def receive(self, result: Result) -> ReceivedResult:
        """Read all streams; `run.files` removes what is not kept.

        Raises what a stream raised that may be had later, after the other streams were read, and
        `OutputUnavailable` where nothing is left.
        """
        self._result = result
        retryable: Exception | None = None
        for index, output in enumerate(result.outputs):
            if index not in self._outputs and index not in self._given_up:
                self._run.heed_interruption()
                retryable = await self._read(index, output) or retryable
        if retryable is not None:
            raise retryable
        return self.so_far()

    def so_far(self) -> ReceivedResult:
        """What came by now; the rest is missing. Raises `OutputUnavailable` where nothing came."""
        for index in range(len(self._result.outputs)):
            if index not in self._outputs:
                self._missing.setdefault(index, MissingOutput(index, "It did not come in time."))
        outputs = tuple(self._outputs[index] for index in sorted(self._outputs))
        missing = tuple(self._missing[index] for index in sorted(self._missing))
        check_not_all_missing(self._run, outputs, missing)
        result = self._result
        return ReceivedResult(outputs, self._run.cost_of(result), missing, result.warnings, result.answer)

    async def _read(self, index: int, output: Output) -> Exception | None:
        """Read one output. Returns the error where it may be had later."""
        self._missing.pop(index, None)
        try:
            content = await self._rereadable(output)
            self._outputs[index] = ReceivedOutput(content, index, is_text=output.is_text)
        except asyncio.CancelledError:
            if self._run.signal.is_cut_off:
                raise
            return self._note_missing(index, output, RuntimeError(NOBODY))
        except BaseException as error:  # noqa: BLE001 - whatever a stream raises, its neighbours are kept
            known = as_exception(error)
            self._run.heed_interruption()
            return self._note_missing(index, output, known)
        return None

    def _note_missing(self, index: int, output: Output, error: Exception) -> Exception | None:
        """Returns the error where the output may be had later."""
        self._missing[index] = MissingOutput(index, _reason(error))
        if self._may_come_later(error, output):
            return error
        if self._once or isinstance(error, AnswerTooLarge) or isinstance(error.__cause__, ContentTooLarge):
            self._given_up.add(index)
        return None

    def _may_come_later(self, error: Exception, output: Output) -> bool:
        if isinstance(error, ProviderError):
            may_come = not is_final(error)
        elif isinstance(error, AnswerTooLarge):
            may_come = False
        else:
            may_come = not self._once or isinstance(error, OSError | Unavailable)
        return may_come and not (self._once and isinstance(output.content, AsyncIterator))

    async def _rereadable(self, output: Output) -> Rereadable:
        if isinstance(output.content, bytes | Path):
            return output.content
        try:
            return await self._whole(output.content)
        except ContentTooLarge as error:
            raise output_too_large(self._run, error) from error

    async def _whole(self, stream: AsyncIterable[bytes]) -> Received:
        """One that begins anew each time may go on into the storage at once.

        While the storage or the database is away it is read into a file. One that is read once always is: what was
        on its way when the storage broke off would be lost, and it is paid for.
        """
        run = self._run
        storage, limit_bytes = run.services.storage, run.services.output_limit_bytes
        if not isinstance(stream, AsyncIterator):
            try:
                received = storage.receive(stream, limit_bytes=limit_bytes, noting=run.expect)
                return await run.files.enter_async_context(received)
            except (Unavailable, LeaseLost) as error:
                run.heed_interruption()
                _log.info("an output of task %s waits on this disk: %s", run.task.id, error)
        return await run.files.enter_async_context(storage.spool(stream, limit_bytes=limit_bytes))


async def receive_answer(run: AttemptRun, result: Result) -> ReceivedResult:
    """Receive a result that was paid for and cannot be asked for again.

    A stream that begins anew each time is read again for as long as the bounds say. Raises `OutputUnavailable`
    where nothing can be had.
    """
    receiver = OutputReceiver(run, once=True)
    try:
        streams_s = run.services.bounds.streams_s
        return await run.signal.wait_for(lambda: _receive_patiently(run, receiver, result), streams_s)
    except (TimeoutError, RuntimeError):
        return receiver.so_far()
    finally:
        await run.report.go_on()


async def _receive_patiently(run: AttemptRun, receiver: OutputReceiver, result: Result) -> ReceivedResult:
    tries, ends_at = 0, float("inf")
    while True:
        try:
            return await receiver.receive(result)
        except OutputUnavailable:
            raise
        except Exception as error:
            if run.signal.is_cut_off:
                raise
            now = time.monotonic()
            ends_at = min(ends_at, now + run.services.bounds.unusable_s)
            if now >= ends_at:
                return receiver.so_far()
            failure = run.as_charged(failure_of(error, Charged.YES))
            await run.report.wait_for(WaitsFor.PROVIDER, failure)
            await asyncio.sleep(min(_PAUSES.after(tries), ends_at - now))
            tries += 1


def _reason(error: Exception) -> str:
    if isinstance(error, ProviderError):
        return error.message
    return f"It broke off while it came ({type(error).__name__}: {error})."
