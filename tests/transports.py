"""Transports that tell which test has opened them.

One that was left open is found when the garbage collector comes by, in a later test that did nothing to it.
"""

import os
from asyncio import selector_events
from typing import Any

_Transport: Any = selector_events._SelectorTransport


def tell_their_tests() -> None:
    """Whatever is said of a transport from now on tells its test, too."""
    begin, shown = _Transport.__init__, _Transport.__repr__

    def noting(self: Any, *args: Any, **options: Any) -> None:
        self.test = os.environ.get("PYTEST_CURRENT_TEST", "no test")
        begin(self, *args, **options)

    _Transport.__init__ = noting
    _Transport.__repr__ = lambda self: f"{shown(self)} of {self.test}"
