"""Ports of processes that a test starts some time after it has chosen where."""

import random
import socket
from contextlib import suppress

_GIVEN_BY_HAND = range(10_000, 32_000)
"""Below the ports that systems hand out to connections."""


def lasting_port() -> int:
    """A free port that no connection gets by chance, so that it is free when it is needed, and after a restart."""
    while True:
        with suppress(OSError), socket.socket() as listener:
            listener.bind(("127.0.0.1", random.choice(_GIVEN_BY_HAND)))
            return int(listener.getsockname()[1])
