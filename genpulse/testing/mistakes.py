"""Log records of mistakes of GenPulse or of a plug-in."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager


class Mistakes(logging.Handler):
    """Keeps errors of the log, and warnings apart."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.errors: list[str] = []
        self.warnings: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep it, with what was raised."""
        raised = record.exc_info[1] if record.exc_info else None
        words = record.getMessage() + (f" ({type(raised).__name__}: {raised})" if raised else "")
        (self.errors if record.levelno >= logging.ERROR else self.warnings).append(words)


@contextmanager
def noted() -> Iterator[Mistakes]:
    """Listen to the loggers of GenPulse and of asyncio while the body runs."""
    mistakes = Mistakes()
    loggers = [logging.getLogger(name) for name in ("genpulse", "asyncio")]
    for logger in loggers:
        logger.addHandler(mistakes)
    try:
        yield mistakes
    finally:
        for logger in loggers:
            logger.removeHandler(mistakes)
