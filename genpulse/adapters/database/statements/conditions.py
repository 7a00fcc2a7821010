"""Conditions on tasks, each so that an index fits, and the values that they name."""

from collections.abc import Sequence
from dataclasses import dataclass

from genpulse.adapters.database.statements.columns import ONE_OF_MANY
from genpulse.domain.search.task_query import TaskFilter, ids_made_in
from genpulse.domain.task import TaskStatus

_STATUS = {
    TaskStatus.QUEUED: "status = 'queued' AND finished_at IS NULL",
    TaskStatus.RUNNING: "status = 'running' AND finished_at IS NULL",
    TaskStatus.SUCCEEDED: "status = 'succeeded' AND finished_at IS NOT NULL AND error IS NULL",
    TaskStatus.FAILED: "status = 'failed' AND error IS NOT NULL",
    TaskStatus.CANCELED: "status = 'canceled' AND cancel_requested_at IS NOT NULL",
}


class Values:
    """What the places `$1`, `$2`, … of a statement stand for."""

    def __init__(self) -> None:
        self.given: list[object] = []

    def put(self, value: object) -> str:
        """The place of a value."""
        self.given.append(value)
        return f"${len(self.given)}"


@dataclass(frozen=True, slots=True)
class Field:
    """A field of a filter that has an index, in which it stands before the id.

    `column` is what the index knows, `more` what has to be said so that the index is thought of.
    """

    column: str
    values: Sequence[str]
    more: str = ""

    def condition(self, values: Values) -> str:
        """That one of the values fits."""
        if len(self.values) == 1:
            return f"{self.column} = {values.put(self.values[0])}{self.more}"
        return f"{self.column} = ANY({values.put(list(self.values))}::text[]){self.more}"

    def ranges(self, values: Values) -> tuple[str, ...]:
        """For each value a condition that goes with `order`, and with no order of any other index.

        The planner takes an equal value for one of the usual, and where these are few it reads all rows that fit,
        to put them in order. The one value that half of the table has is then read whole.
        """
        places = (values.put(value) for value in self.values)
        return tuple(f"{self.column} >= {place} AND {self.column} <= {place}{self.more}" for place in places)

    @property
    def order(self) -> str:
        """That of the index, for one value."""
        return f"{self.column} DESC, id DESC"


def fields(wanted: TaskFilter) -> tuple[Field, ...]:
    """What the filter asks for, that which is likely to fit the fewest tasks first."""
    # Tasks of nobody are in no index by owner.
    of_somebody = "" if "" in wanted.owners else " AND owner <> ''"
    found = (
        Field("batch_id", (str(wanted.batch),) if wanted.batch else ()),
        # What has an error has failed or is canceled. Of "failed" the planner would expect next to none.
        Field("(error ->> 'code')", _unique(wanted.codes), " AND status <> 'canceled'"),
        Field("owner", _unique(wanted.owners), of_somebody),
        Field("model", _unique(wanted.models)),
        Field("provider", _unique(wanted.providers)),
        Field("kind", _unique(wanted.kinds)),
    )
    return tuple(field for field in found if field.values)


def _unique(values: Sequence[str]) -> Sequence[str]:
    return [str(value) for value in dict.fromkeys(values)]


def statuses(wanted: TaskFilter) -> tuple[str, ...]:
    """The condition for each status."""
    return tuple(_STATUS[status] for status in dict.fromkeys(wanted.statuses))


def bounds(wanted: TaskFilter, values: Values) -> tuple[str, ...]:
    """What is asked of ids and moments, of what is not deleted: conditions that go with any order by id."""
    return ("deleted_at IS NULL", *bounds_of_all(wanted, values))


def bounds_of_all(wanted: TaskFilter, values: Values) -> tuple[str, ...]:
    """The same of what is deleted, too."""
    lowest, highest = ids_made_in(wanted.created_after, wanted.created_before)
    ids = wanted.id_range or (None, None)
    asked = (
        ("id = ANY({}::uuid[])", list(wanted.ids) or None),
        ("id >= {}", ids[0]),
        ("id <= {}", ids[1]),
        ("id >= {}", lowest),
        ("id <= {}", highest),
        ("created_at >= {}", wanted.created_after),
        ("created_at < {}", wanted.created_before),
    )
    return tuple(text.format(values.put(value)) for text, value in asked if value is not None)


def contents(wanted: TaskFilter, values: Values, *, is_planned: bool) -> tuple[str, ...]:
    """What is asked of metadata and inputs, by indexes that are in no order.

    With `is_planned` the planner sees the words that are asked for; else they are taken apart once a statement.
    """
    found = []
    for name, accepted in wanted.metadata:
        each = " OR ".join(f"metadata @> {values.put({name: value})}" for value in dict.fromkeys(accepted))
        found.append(f"({each}) AND metadata <> '{{}}'")
    if wanted.texts:
        form = "task_words(input) @@ {}" if is_planned else "task_words(input) @@ (SELECT {})"
        asked = (f"task_words_asked({values.put(text)})" for text in dict.fromkeys(wanted.texts))
        each = " OR ".join(form.format(word) for word in asked)
        found.append(f"({each}) AND input <> '{{}}'")
    return tuple(found)


def selected(conditions: Sequence[str], limit: str, columns: str = ONE_OF_MANY, order: str = "id DESC") -> str:
    """The newest tasks that fit all conditions."""
    where = f"WHERE {' AND '.join(conditions)} " if conditions else ""
    return f"SELECT {columns} FROM tasks {where}ORDER BY {order} LIMIT {limit}"
