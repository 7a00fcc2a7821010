"""What aiohttp's errors mean for money."""

import aiohttp


def never_sent(error: BaseException) -> bool:
    """Whether the request has definitely not left this machine: no connection, or none that is trusted."""
    return isinstance(error, aiohttp.ClientConnectorError | aiohttp.ConnectionTimeoutError | aiohttp.InvalidURL)
