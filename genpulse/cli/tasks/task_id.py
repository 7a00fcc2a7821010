"""Resolving a task id from its whole or its beginning."""

import re
from datetime import datetime
from itertools import pairwise

from genpulse.cli.errors import CommandRefused
from genpulse.cli.output.moments import moment_text
from genpulse.cli.output.table import Column, Table
from genpulse_client import AsyncGenPulse, Task

_WHOLE = 32
_FEWEST = 8
"""Digits. The first eight of an id tell the minute in which the task came: fewer are nearly never enough."""
_SHOWN = 10
_GROUPS = (8, 12, 16, 20)
_DIGITS = re.compile(r"[0-9a-f-]+")


async def task_id_of(client: AsyncGenPulse, word: str) -> str:
    """The whole id. What is no beginning of an id is left to the API to refuse.

    Raises `CommandRefused` for a beginning that is too short, that no task has, or more than one.
    """
    small = word.strip().lower()
    digits = small.replace("-", "")
    if not _DIGITS.fullmatch(small) or len(digits) >= _WHOLE:
        return word.strip()
    if len(digits) < _FEWEST:
        raise CommandRefused(
            f"{word!r} is too short for a task: give {_FEWEST} digits of its id at least. `genpulse tasks list`"
            " shows them whole."
        )
    matches = tuple([task async for task in client.list(limit=_SHOWN + 1, id_prefix=_written(digits))])
    if len(matches) == 1:
        return matches[0].id
    if not matches:
        raise CommandRefused(f"No task has an id that begins with {small}. See `genpulse tasks list`.")
    raise CommandRefused(_ambiguous(small, matches))


def _written(digits: str) -> str:
    """With hyphens where an id has them."""
    ends = (0, *_GROUPS, _WHOLE)
    groups = (digits[start:end] for start, end in pairwise(ends))
    return "-".join(group for group in groups if group)


def _ambiguous(word: str, matches: tuple[Task, ...]) -> str:
    table = Table(Column("task"), Column("model"), Column("status"), Column("created"), headed=False)
    now = datetime.now().astimezone()
    for task in matches[:_SHOWN]:
        table.add(task.id, task.model, task.status, moment_text(task.created_at, now))
    more = "\n  and more" if len(matches) > _SHOWN else ""
    rows = "".join(f"\n  {row}" for row in table.laid_out(None).plain.split("\n"))
    return f"Several tasks have ids that begin with {word}; give more digits:{rows}{more}"
