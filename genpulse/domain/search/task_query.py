"""Which tasks are meant: by what they are, when they came, and what stands in them."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from genpulse.domain.failure import FailureCode
from genpulse.domain.task import TaskStatus

CLOCKS_DIFFER = timedelta(minutes=10)
"""So far may the clock that made a task's id be from the database's, which says when the task came."""
_MILLISECOND = timedelta(milliseconds=1)
_EPOCH = datetime.fromisoformat("1970-01-01T00:00:00+00:00")
_LAST_MS = (1 << 48) - 1
_LAST_DATE_MS = (datetime.max.replace(tzinfo=UTC) - _EPOCH) // _MILLISECOND


@dataclass(frozen=True, slots=True)
class TaskFilter:
    """Tasks that fit every field; one of several values is enough for its field, and an empty field fits all.

    `codes` are of failed tasks. `id_range` is the lowest and the highest id that are meant. A task came at or
    after `created_after`, and before `created_before`. `metadata` has the values that a name may have. `texts` are
    words of the input: all words of one of them are in it.
    """

    statuses: tuple[TaskStatus, ...] = ()
    kinds: tuple[str, ...] = ()
    providers: tuple[str, ...] = ()
    models: tuple[str, ...] = ()
    owners: tuple[str, ...] = ()
    codes: tuple[FailureCode, ...] = ()
    ids: tuple[UUID, ...] = ()
    batch: UUID | None = None
    texts: tuple[str, ...] = ()
    metadata: tuple[tuple[str, tuple[str, ...]], ...] = ()
    id_range: tuple[UUID, UUID] | None = None
    created_after: datetime | None = None
    created_before: datetime | None = None


EVERYTHING = TaskFilter()


@dataclass(frozen=True, slots=True)
class TaskQuery:
    """A page of the tasks of a filter, newest first: those older than `before`, at most `limit`.

    With `oldest_first` it is the other way round, and those are meant that are newer than `before`.
    """

    limit: int = 20
    before: UUID | None = None
    filter: TaskFilter = EVERYTHING
    oldest_first: bool = False


def ids_made_in(after: datetime | None, before: datetime | None) -> tuple[UUID | None, UUID | None]:
    """Between which ids all tasks are that came then: a UUIDv7 begins with the milliseconds of its time.

    The bounds are as much wider as clocks may differ.
    """
    lowest = None if after is None else _first_id(_milliseconds(after) - CLOCKS_DIFFER // _MILLISECOND)
    highest = None if before is None else _first_id(_milliseconds(before) + CLOCKS_DIFFER // _MILLISECOND)
    return lowest, highest


def made_at(task_id: UUID) -> datetime:
    """When a task's id was made, by the clock that made it."""
    return _EPOCH + min(task_id.int >> 80, _LAST_DATE_MS) * _MILLISECOND


def _milliseconds(moment: datetime) -> int:
    return (moment - _EPOCH) // _MILLISECOND


def _first_id(milliseconds: int) -> UUID:
    return UUID(int=max(0, min(milliseconds, _LAST_MS)) << 80)
