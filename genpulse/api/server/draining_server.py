"""A server that lets proxies look for another one before it stops."""

import signal
import threading
from types import FrameType

import uvicorn


class DrainingServer(uvicorn.Server):
    """Goes on for `drain_s` seconds when it is told to stop by SIGTERM; a second signal ends it at once."""

    def __init__(self, config: uvicorn.Config, drain_s: float) -> None:
        super().__init__(config)
        self._drain_s = drain_s
        self._drains = False

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Handle a signal."""
        if sig != signal.SIGTERM or self._drains or self._drain_s <= 0:
            super().handle_exit(sig, frame)
            return
        self._drains = True
        timer = threading.Timer(self._drain_s, super().handle_exit, (sig, None))
        timer.daemon = True
        timer.start()
