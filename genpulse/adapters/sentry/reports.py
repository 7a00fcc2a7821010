"""Telling Sentry of what is logged as an error, once, and without anybody's words."""

import asyncio
import logging
import threading
from collections.abc import Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import sentry_sdk
from sentry_sdk.integrations.dedupe import DedupeIntegration
from sentry_sdk.integrations.logging import LoggingIntegration
from structlog.contextvars import get_contextvars

if TYPE_CHECKING:
    from sentry_sdk.types import Event, Hint

CLOSE_S = 2.0
"""Seconds in which a process that ends tells the last of them."""

_OURS = "genpulse."
_KEPT = ("event_id", "timestamp", "level", "logger", "platform", "release", "environment", "server_name", "sdk")
_IDS = ("request_id", "task_id", "message_id", "trace_id", "span_id")
_OF_FRAME = ("filename", "abs_path", "function", "module", "lineno", "in_app")


class ErrorReports:
    """Sends events to the project behind `dsn` while it is open: one for each error in the log.

    Of an event is kept what `shown` says and nothing else.
    """

    def __init__(self, dsn: str, *, environment: str, release: str, process: str) -> None:
        self._process = process
        sentry_sdk.init(
            dsn,
            environment=environment,
            release=release,
            before_send=self._shown,
            default_integrations=False,
            auto_enabling_integrations=False,
            integrations=[
                LoggingIntegration(level=None, event_level=logging.ERROR, sentry_logs_level=None),
                DedupeIntegration(),
            ],
            include_local_variables=False,
            include_source_context=False,
            max_breadcrumbs=0,
            max_request_body_size="never",
            auto_session_tracking=False,
            send_client_reports=False,
        )

    def _shown(self, event: "Event", _hint: "Hint") -> "Event":
        return shown(event, get_contextvars(), self._process)

    async def close(self, within_s: float = CLOSE_S) -> None:
        """Tell what is left, and wait for `within_s` seconds at most."""
        loop, done, sdk = asyncio.get_running_loop(), asyncio.Event(), sentry_sdk.get_client()
        sentry_sdk.get_global_scope().set_client(None)

        def end() -> None:
            sdk.close(timeout=within_s)
            with suppress(RuntimeError):  # nobody listens any more
                loop.call_soon_threadsafe(done.set)

        threading.Thread(target=end, name="last errors", daemon=True).start()
        with suppress(TimeoutError):
            async with asyncio.timeout(within_s):
                await done.wait()


def shown(event: "Event", ids: Mapping[str, Any], process: str) -> "Event":
    """The event without what somebody has written: prompts and secrets stand in the words of errors.

    Kept is where it happened, the types of the exceptions, our own sentence before anything is put into it, and
    the ids of what it happened to.
    """
    report: Any = {key: event[key] for key in _KEPT if key in event}  # type: ignore[literal-required]
    tags = {key: str(ids[key]) for key in _IDS if key in ids}
    report["tags"] = {"process": process, **tags}
    report["logentry"] = {"message": _sentence(event)}
    if "exception" in event:
        report["exception"] = {"values": [_exception(one) for one in event["exception"].get("values", ())]}
    if "trace_id" in tags and "span_id" in tags:
        report["contexts"] = {"trace": {"trace_id": tags["trace_id"], "span_id": tags["span_id"]}}
    event_: Event = report
    return event_


def _sentence(event: "Event") -> str:
    """That of a library may hold anything: it is put together before it is logged."""
    name = str(event.get("logger", ""))
    entry = event.get("logentry") or {}
    message = entry.get("message") if isinstance(entry, dict) else None
    return str(message) if name.startswith(_OURS) and message else f"an error in {name or 'this process'}"


def _exception(one: Mapping[str, Any]) -> dict[str, Any]:
    report: dict[str, Any] = {key: one[key] for key in ("type", "module") if key in one}
    frames = (one.get("stacktrace") or {}).get("frames") or ()
    report["stacktrace"] = {"frames": [{key: frame[key] for key in _OF_FRAME if key in frame} for frame in frames]}
    return report
