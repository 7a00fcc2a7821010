"""An output that cannot be had, in its place among those that can."""

from collections.abc import AsyncIterator

from genpulse.domain.errors import OutputUnavailable
from genpulse.domain.failure import Charged


class Missing:
    """The content of an `Output` that is filtered, broken or not named. Reading it raises `OutputUnavailable`."""

    def __init__(self, why: str) -> None:
        self.why = why

    def __aiter__(self) -> AsyncIterator[bytes]:
        """Begins anew each time."""
        return _Refusing(self.why)


class _Refusing:
    def __init__(self, why: str) -> None:
        self._why = why

    def __aiter__(self) -> "_Refusing":
        return self

    async def __anext__(self) -> bytes:
        raise OutputUnavailable(self._why, charged=Charged.YES)
