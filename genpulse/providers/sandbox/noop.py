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

_TELL_EVERY_S = 0.5
_CHUNK = 1 << 16

Fail = Literal["transient", "permanent", "moderation", "rate_limited"]


class NoopInput(Input):
    """How to do nothing."""

    delay_s: float = Field(0, ge=0, le=3600, title="Seconds to take")
    fail: Fail | None = Field(None, title="How to fail", description="Left out or null: not at all.")
    fail_times: int = Field(
        0, ge=0, le=1000, title="How many attempts fail", description="0: all of them, when `fail` is set."
    )
    output_bytes: int = Field(0, ge=0, le=100 << 20, title="Size of the output in bytes", description="0: none.")


class Noop(Local[NoopInput]):
    """Light enough for thousands at once."""

    async def run(self, call: Call[NoopInput], report: Report) -> Result:
        """Wait, then fail or succeed as asked."""
        wanted = call.input
        await _wait(wanted.delay_s, report)
        if wanted.fail and (wanted.fail_times == 0 or call.attempt <= wanted.fail_times):
            raise _failure(wanted.fail)
        if wanted.output_bytes == 0:
            return Result()
        return Result((Output(_bytes(wanted.output_bytes)),))


async def _wait(delay_s: float, report: Report) -> None:
    if delay_s <= 1:
        await asyncio.sleep(delay_s)
        return
    started = time.monotonic()
    while (gone_s := time.monotonic() - started) < delay_s:
        report(gone_s / delay_s)
        await asyncio.sleep(min(_TELL_EVERY_S, delay_s - gone_s))


def _failure(fail: Fail) -> ProviderError:
    match fail:
        case "transient":
            return ProviderUnavailable("The sandbox was asked to be unavailable.")
        case "permanent":
            return ProviderRejected("The sandbox was asked to refuse.")
        case "moderation":
            return ModerationBlocked("The sandbox was asked to block this.")
        case "rate_limited":
            return RateLimited("The sandbox was asked to limit the rate.", retry_after_s=1)


async def _bytes(size: int) -> AsyncIterator[bytes]:
    """The same bytes for the same size, made piece by piece so that memory stays flat."""
    block = hashlib.sha256(b"genpulse noop").digest() * (_CHUNK // 32)
    for start in range(0, size, _CHUNK):
        yield block[: min(_CHUNK, size - start)]
        await asyncio.sleep(0)
