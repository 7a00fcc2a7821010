"""Parameters of statements that write many rows at once, a column each."""

from collections.abc import Sequence


def null_if_empty(column: Sequence[object]) -> Sequence[object] | None:
    """None for a column in which nothing is.

    `unnest` of several arrays fills up the shorter ones with NULL, and a NULL is no array: neither the driver nor
    PostgreSQL looks at an element of it. For columns that are unnested beside one that is never empty.
    """
    return None if column.count(None) == len(column) else column
