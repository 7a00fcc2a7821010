"""Whether a client has read the answer that was written to it, as far as its connection tells."""

import time
from collections.abc import Callable

from starlette.types import Scope

ANSWER = "genpulse.answer"
"""Key in the scope: the `WrittenAnswer` of a request, where the server watches over it."""
TOLD_WITHIN_S = 5.0
"""A connection that is reset later than this after its answer has been idle: the answer was read."""


class WrittenAnswer:
    """The answer to a request. Whoever asks is told when its connection was lost before it was read."""

    __slots__ = ("_listeners", "_written_at_s", "is_unread")

    def __init__(self) -> None:
        self._listeners: list[Callable[[], None]] = []
        self._written_at_s: float | None = None
        self.is_unread = False

    def when_unread(self, tell: Callable[[], None]) -> None:
        """Call `tell` once if the client has not read it: now, where that is known already."""
        if self.is_unread:
            tell()
        else:
            self._listeners.append(tell)

    @property
    def is_written(self) -> bool:
        """Whether the whole of it was handed to the system."""
        return self._written_at_s is not None

    def note_written(self) -> None:
        """The whole of it was handed to the system."""
        self._written_at_s = time.monotonic()

    def note_unread(self) -> None:
        """The client has not read it, unless that was long ago."""
        written_at_s = self._written_at_s
        if self.is_unread or (written_at_s is not None and time.monotonic() - written_at_s > TOLD_WITHIN_S):
            return
        self.is_unread = True
        listeners, self._listeners = self._listeners, []
        for tell in listeners:
            tell()


def when_unread(scope: Scope, tell: Callable[[], None]) -> None:
    """Call `tell` if the client of this request has not read its answer, and never where nobody can know."""
    answer: WrittenAnswer | None = scope.get(ANSWER)
    if answer is not None:
        answer.when_unread(tell)
