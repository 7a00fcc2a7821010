"""Tasks of the event loop that work for whoever comes."""

import asyncio
from collections.abc import Coroutine
from contextvars import Context
from typing import Any, TypeVar

T = TypeVar("T")


def shared_task(work: Coroutine[Any, Any, T], name: str | None = None) -> asyncio.Task[T]:
    """A task that outlives the request or the attempt in which it begins, and serves others.

    It gets nothing of their context: its lines of the log, and its spans, are not about what happened to begin it.
    """
    return asyncio.create_task(work, name=name, context=Context())
