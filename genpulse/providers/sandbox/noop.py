"""Does nothing, in every way that a test or a measurement may want."""

import asyncio
import hashlib
import time
from collections.abc import AsyncIterator
from typing import Literal

from pydantic import Field

from genpulse.provider import (
    Call,
    Input,
    Local,
    ModerationBlocked,
    Output,
    ProviderError,
    ProviderRejected,
    ProviderUnavailable,
    RateLimited,
    Report,
    Result,
)

_SILENT_S = 1.0
_TELL_EVERY_S = 0.5
_CHUNK = 1 << 16

Fail = Literal["transient", "permanent", "moderation", "rate_limited"]


class NoopInput(Input):
    """How to do nothing."""

    delay_s: float = Field(
        0,
        ge=0,
        le=3600,
        allow_inf_nan=False,
        title="Delay in seconds",
        description="How long an attempt takes; longer than 1 second, it also tells its progress.",
        examples=[0, 2.5],
    )
    fail: Fail | None = Field(
        None,
        title="How to fail",
        description="After the delay. `transient` and `rate_limited` are tried again, the others are not.",
        examples=[None, "transient"],
    )
    fail_times: int = Field(
        0,
        ge=0,
        le=1000,
        title="How many attempts fail",
        description="The first so many attempts fail, the next one succeeds. 0: every attempt, if `fail` is set.",
        examples=[0, 2],
    )
    output_bytes: int = Field(
        0,
        ge=0,
        le=100 << 20,
        title="Size of the output in bytes",
        description="The same size gives the same bytes. 0: no output.",
        examples=[0, 1024],
    )


class Noop(Local[NoopInput]):
    """Light enough for thousands at once: it waits on the event loop and streams its output."""

    async def run(self, call: Call[NoopInput], report: Report) -> Result:
        """Wait, then fail or succeed as asked."""
        input_ = call.input
        await _wait(input_.delay_s, report)
        if input_.fail and (input_.fail_times == 0 or call.attempt <= input_.fail_times):
            raise _failure(input_.fail, call.attempt)
        if input_.output_bytes == 0:
            return Result()
        return Result((Output(_bytes(input_.output_bytes)),))


async def _wait(delay_s: float, report: Report) -> None:
    if delay_s <= _SILENT_S:
        await asyncio.sleep(delay_s)
        return
    started = time.monotonic()
    while (gone_s := time.monotonic() - started) < delay_s:
        report(gone_s / delay_s)
        await asyncio.sleep(min(_TELL_EVERY_S, delay_s - gone_s))


def _failure(fail: Fail, attempt: int) -> ProviderError:
    because = f"as the input asked for (attempt {attempt})."
    match fail:
        case "transient":
            return ProviderUnavailable(f"The sandbox was unavailable, {because}")
        case "permanent":
            return ProviderRejected(f"The sandbox refused the job, {because}")
        case "moderation":
            return ModerationBlocked(f"The sandbox's moderation blocked the job, {because}")
        case "rate_limited":
            return RateLimited(f"The sandbox limited the rate, {because}", retry_after_s=1)


async def _bytes(size: int) -> AsyncIterator[bytes]:
    """Made piece by piece so that memory stays flat. No two pieces are alike."""
    for start in range(0, size, _CHUNK):
        seed = hashlib.shake_128(f"genpulse noop {start}".encode())
        yield seed.digest(min(_CHUNK, size - start))
        await asyncio.sleep(0)
