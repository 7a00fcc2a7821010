"""The signal that ends the server, heard at once.

The server waits for open connections before it ends the lifespan: long responses end at the signal itself.
"""

import asyncio
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

_SIGNALS = (signal.SIGTERM, signal.SIGINT)


@contextmanager
def on_signal(stopping: asyncio.Event) -> Iterator[None]:
    """Set `stopping` when the process is told to end; whoever listened before still hears it.

    Outside of the main thread, where signals cannot be heard, nothing happens.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    loop = asyncio.get_running_loop()
    before = {number: signal.getsignal(number) for number in _SIGNALS}

    def tell(number: int, frame: FrameType | None) -> None:
        if not loop.is_closed():
            loop.call_soon_threadsafe(stopping.set)
        earlier = before[signal.Signals(number)]
        if callable(earlier):
            earlier(number, frame)

    for number, earlier in before.items():
        if callable(earlier):
            signal.signal(number, tell)
    try:
        yield
    finally:
        for number, earlier in before.items():
            if signal.getsignal(number) is tell:
                signal.signal(number, earlier)
