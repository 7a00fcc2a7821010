"""Packages that others load wherever they are installed, without our using them."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def without(*names: str) -> Iterator[None]:
    """Let imports in the body find none of these packages, as if they were not installed.

    What is loaded already stays. Afterwards each can be imported by those who use it.
    """
    hidden = [name for name in names if name not in sys.modules]
    sys.modules.update(dict.fromkeys(hidden))  # type: ignore[arg-type]  # None is how Python marks what cannot be found
    try:
        yield
    finally:
        for name in hidden:
            del sys.modules[name]
