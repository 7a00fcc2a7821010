# Made from asynchronous/paging.py by make_synchronous.py: change it there.
"""Lists that come in pages."""

from collections.abc import Callable, Generator, Sequence
from typing import Any, TypeVar

from genpulse_client.filters import Query
from genpulse_client.request import Request
from genpulse_client.synchronous.connection import Connection

T = TypeVar("T")

PAGE = 100


def each_of(
    connection: Connection,
    request_of: Callable[[Query], Request],
    items_of: Callable[[Any], Sequence[T]],
    limit: int | None,
) -> Generator[T, None, None]:
    """`limit` items at most, None is all. Pages are asked for as they are needed."""
    remaining, cursor = limit, None
    while remaining is None or remaining > 0:
        size = str(PAGE if remaining is None else min(remaining, PAGE))
        page = connection.document(request_of((("limit", size), *((("cursor", cursor),) if cursor else ()))))
        items = items_of(page)
        yield from items
        cursor = page.get("next_cursor")
        if not cursor:
            return
        remaining = None if remaining is None else remaining - len(items)
