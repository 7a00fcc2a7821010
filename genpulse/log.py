"""One log for everything that runs in a process: text for people, JSON for machines."""

import io
import logging
import re
import sys
from collections.abc import MutableMapping
from importlib.metadata import version
from typing import Any, Literal, TextIO

from genpulse.domain.text.storable import showable, storable, storable_line
from genpulse.environment.build_info import read_build_info
from genpulse.environment.table import Environment
from genpulse.unneeded_packages import without

with without("rich", "greenlet"):  # 5 MB, for coloured traces, which this log does not have
    import structlog

_SECRET_NAME = re.compile(r"password|secret|token|api_key|authorization", re.IGNORECASE)
_URL_PASSWORD = re.compile(r"(://[^/\s:@]*:)[^/\s@]+(@)")
_HIDDEN = "…"
_LONGEST = 100_000
"""Characters of one message or trace; the end of a longer one is left out."""
_QUIET = ("uvicorn.access", "alembic.runtime.plugins", "asyncio")

Format = Literal["auto", "text", "json"]


def configure(level: str, form: Format, *, environment: Environment, process: str) -> None:
    """Send all logging of this process to standard output, and say first what runs where.

    `auto` is text where people develop, and JSON elsewhere.
    """
    machine = form == "json" or (form == "auto" and not environment.spawns_services)
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.ExtraAdder(),
        _drop_twin,
        structlog.processors.TimeStamper(fmt="iso", utc=True) if machine else _clock,
        structlog.processors.format_exc_info,
        hide_secrets,
        _clean if machine else _clean_lines,
    ]
    renderer: structlog.typing.Processor = (
        structlog.processors.JSONRenderer()
        if machine
        else structlog.dev.ConsoleRenderer(
            colors=sys.stdout.isatty(), pad_event_to=0, exception_formatter=structlog.dev.plain_traceback
        )
    )
    _let_out_takes_everything()
    handler = LastingHandler(sys.stdout)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*shared, _facts(environment.name, process)] if machine else shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    for name in _QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)
    build = read_build_info() or f"{version('genpulse')} from a work tree"
    logging.getLogger(__name__).info("%s of GenPulse %s starts in %s", process, build, environment.dynaconf)


class LastingHandler(logging.StreamHandler[TextIO]):
    """Outlives a moment in which nothing can be written, such as on a full disk, and says what is missing then."""

    def __init__(self, stream: TextIO) -> None:
        super().__init__(stream)
        self._missing = 0
        self._why = ""

    def emit(self, record: logging.LogRecord) -> None:
        """Write a line, or count it."""
        if self._missing and not self._tell():
            self._missing += 1
            return
        super().emit(record)

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - the name of logging
        """A stream that takes nothing is no fault of whoever logs; all else is said on standard error."""
        error = sys.exception()
        if not isinstance(error, OSError):
            super().handleError(record)
            return
        self._missing += 1
        self._why = error.strerror or str(error)

    def _tell(self) -> bool:
        """Whether it could be told how many lines are missing."""
        missing, self._missing = self._missing, 0
        words, facts = "%d lines of the log are missing or cut here: %s", (missing, self._why)
        super().emit(logging.LogRecord(__name__, logging.WARNING, __file__, 0, words, facts, None))
        if not self._missing:
            return True
        self._missing = missing
        return False


_clock = structlog.processors.TimeStamper(fmt="%H:%M:%S", utc=False)
Event = MutableMapping[str, Any]


def _drop_twin(_logger: object, _name: str, event: Event) -> Event:
    """uvicorn gives each message a second time, for its own colours."""
    event.pop("color_message", None)
    return event


def _facts(environment: str, process: str) -> structlog.typing.Processor:
    def add(_logger: object, _name: str, event: Event) -> Event:
        event.update(environment=environment, process=process)
        return event

    return add


def hide_secrets(_logger: object, _name: str, event: Event) -> Event:
    """Take out what has the name of a secret, and passwords in URLs."""
    for key, value in event.items():
        if _SECRET_NAME.search(key):
            event[key] = _HIDDEN
        elif isinstance(value, str):
            event[key] = _URL_PASSWORD.sub(rf"\1{_HIDDEN}\2", value)
    return event


def _let_out_takes_everything() -> None:
    """What the terminal's or the pipe's encoding cannot say is written as an escape, and raises nothing."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")


def _clean(_logger: object, _name: str, event: Event) -> Event:
    """Whoever wrote a text, nothing in it breaks a line, a terminal or a reader of JSON."""
    return {storable_line(key): _fit(value) for key, value in event.items()}


def _clean_lines(logger: object, name: str, event: Event) -> Event:
    """The same for people: what has several lines cannot pass for several messages."""
    cleaned = _clean(logger, name, event)
    return {key: _indented(value) if isinstance(value, str) else value for key, value in cleaned.items()}


def _indented(text: str) -> str:
    return showable("\n    ".join(text.splitlines()))


def _fit(value: object) -> object:
    """Only what is known to be plain is looked into; all else is shown by its `repr`, which escapes for itself."""
    match value:
        case str():
            return storable(value, _LONGEST)
        case dict():
            return {storable_line(str(key)): _fit(item) for key, item in value.items()}
        case list() | tuple():
            return [_fit(item) for item in value]
        case _:
            return value
