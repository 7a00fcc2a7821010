"""What aiohttp's errors mean for money, and how they are told."""

import aiohttp

from genpulse.domain.text import unsigned

_LENGTH = 300


def never_sent(error: BaseException) -> bool:
    """Whether the request has definitely not left this machine: no connection, or none that is trusted."""
    return isinstance(error, aiohttp.ClientConnectorError | aiohttp.ConnectionTimeoutError | aiohttp.InvalidURL)


def words(error: BaseException) -> str:
    """What an error says, without what may be secret in the address that was asked."""
    said = error.message if isinstance(error, aiohttp.ClientResponseError) else str(error)
    return unsigned(said.partition("\n")[0])[:_LENGTH] or type(error).__name__
