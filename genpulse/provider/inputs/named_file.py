"""Fetching a file that a caller names by its URL."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from genpulse.domain.errors import ContentTooLarge, InvalidInput, OutputUnavailable, ProviderUnavailable
from genpulse.provider.http import AnswerLost, AnswerTooLarge

AGAIN_S = (0.5, 2.0)
"""Pauses in seconds after which a file is asked for once more whose server is away."""
T = TypeVar("T")


async def fetch_named_file(url: str, fetch: Callable[[], Awaitable[T]]) -> T:
    """What `fetch` gives of the file at `url`, tried three times where its server is away for a moment.

    Raises `InvalidInput` where it cannot be had: whoever names a host that is away says nothing about the vendor,
    whose account others use as well.
    """
    pauses_s = iter(AGAIN_S)
    while True:
        try:
            return await fetch()
        except (OutputUnavailable, AnswerTooLarge, ContentTooLarge) as error:
            raise _not_fetched(url, error) from error
        except (AnswerLost, ProviderUnavailable) as error:
            pause_s = next(pauses_s, None)
            if pause_s is None:
                raise _not_fetched(url, error) from error
        await asyncio.sleep(pause_s)


def _not_fetched(url: str, error: Exception) -> InvalidInput:
    return InvalidInput(f"{url[:200]} of the input cannot be fetched: {error}")
