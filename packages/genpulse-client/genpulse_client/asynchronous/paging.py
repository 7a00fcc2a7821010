"""Lists that come in pages."""

from collections.abc import AsyncGenerator, Callable, Sequence
from typing import Any, TypeVar

from genpulse_client.asynchronous.connection import AsyncConnection
from genpulse_client.filters import Query
from genpulse_client.request import Request

T = TypeVar("T")

PAGE = 100


async def each_of(
    connection: AsyncConnection,
    request_of: Callable[[Query], Request],
    items_of: Callable[[Any], Sequence[T]],
    limit: int | None,
) -> AsyncGenerator[T, None]:
    """`limit` items at most, None is all. Pages are asked for as they are needed."""
    remaining, cursor = limit, None
    while remaining is None or remaining > 0:
        size = str(PAGE if remaining is None else min(remaining, PAGE))
        page = await connection.document(request_of((("limit", size), *((("cursor", cursor),) if cursor else ()))))
        items = items_of(page)
        for item in items:
            yield item
        cursor = page.get("next_cursor")
        if not cursor:
            return
        remaining = None if remaining is None else remaining - len(items)
