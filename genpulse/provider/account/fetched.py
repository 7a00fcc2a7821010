"""A file of a vendor that is fetched when it is read."""

from collections.abc import AsyncIterable, AsyncIterator, Callable

Open = Callable[[], AsyncIterator[bytes]]


class Fetched(AsyncIterable[bytes]):
    """The chunks of a file. Each iteration is a download of its own, from the beginning.

    Iterating raises what `Http.fetch_public` does.
    """

    def __init__(self, open_: Open) -> None:
        self._open = open_

    def __aiter__(self) -> AsyncIterator[bytes]:
        """Begin a download."""
        return self._open()
