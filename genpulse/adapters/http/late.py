"""Files that a vendor has just named, and that are not there yet."""

import time
from collections import OrderedDict
from collections.abc import Callable

REMEMBERED = 1_000


class LateFiles:
    """Remembers since when an address is missed, so that it is waited for over several tries.

    `patience_s` seconds after the first answer it counts as gone, by the `clock`, in seconds.
    """

    def __init__(self, patience_s: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._patience_s = patience_s
        self._clock = clock
        self._since: OrderedDict[str, float] = OrderedDict()

    def is_hopeless(self, address: str) -> bool:
        """Whether it has been missed long enough. The first time that this is asked, the waiting begins."""
        since = self._since.setdefault(address, self._clock())
        while len(self._since) > REMEMBERED:
            self._since.popitem(last=False)
        return self._clock() - since >= self._patience_s

    def forget(self, address: str) -> None:
        """The file has arrived."""
        self._since.pop(address, None)
