"""Which aiohttp errors prove that a request was never sent, and their messages."""

import re

import aiohttp

from genpulse.domain.text.storable import unsigned

_LENGTH = 300
_STATUS = re.compile(r"\b\d{3}, message[:=]\s*")
"""aiohttp puts this before words of its own; the vendor has not said it."""

_PACKED = re.compile(r"Can not decode content-encoding: ([\w-]{1,40}).*\binstall\b")
"""What aiohttp says where a package is missing that would unpack it."""


def never_sent(error: BaseException) -> bool:
    """Whether the request has definitely not left this machine: no connection, or none that is trusted."""
    return isinstance(error, aiohttp.ClientConnectorError | aiohttp.ConnectionTimeoutError | aiohttp.InvalidURL)


def words(error: BaseException) -> str:
    """The message of an error in one line, without secrets of the address."""
    text = error.message if isinstance(error, aiohttp.ClientResponseError) else str(error)
    if isinstance(error, aiohttp.ServerDisconnectedError) and not isinstance(error.message, str):
        text = "the connection was closed in the middle of its answer's head"
    line = " ".join(_STATUS.sub("", text[: 4 * _LENGTH]).split())
    if encoding := _PACKED.search(line):
        return f"it is packed in a way that was not asked for ({encoding[1]})"
    return unsigned(line)[:_LENGTH] or type(error).__name__
