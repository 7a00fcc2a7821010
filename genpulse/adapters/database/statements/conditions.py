"""Conditions on tasks, each so that an index fits, and the values that they name."""

from collections.abc import Sequence
from dataclasses import dataclass

from genpulse.adapters.database.statements.columns import TASK
from genpulse.domain.task import TaskStatus
from genpulse.domain.task_query import TaskFilter, ids_made_in

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
    """A field of a filter: the condition for one value, and for several, by an index that is in order of id.

    `several` is empty where each value has a condition of its own.
    """

    one: str
    several: str
    values: Sequence[object]

    def conditions(self, values: Values) -> tuple[str, ...]:
        """One for each value."""
        return tuple(self.one.format(values.put(value)) for value in self.values)

    def condition(self, values: Values) -> str:
        """That one of the values fits."""
        if len(self.values) == 1 or not self.several:
            return f"({' OR '.join(self.conditions(values))})"
        return self.several.format(values.put(list(self.values)))


def fields(wanted: TaskFilter) -> tuple[Field, ...]:
    """What the filter asks for, that which is likely to fit the fewest tasks first."""
    found = (
        Field(
            "error ->> 'code' = {} AND error IS NOT NULL AND status = 'failed'",
            "error ->> 'code' = ANY({}::text[]) AND error IS NOT NULL AND status = 'failed'",
            [code.value for code in dict.fromkeys(wanted.codes)],
        ),
        # Tasks of nobody are in no index by owner.
        *(_words("owner", wanted.owners, " AND owner <> ''") if "" not in wanted.owners else ()),
        *(_words("owner", wanted.owners) if "" in wanted.owners else ()),
        *_words("model", wanted.models),
        *_words("provider", wanted.providers),
        *_words("kind", wanted.kinds),
    )
    return tuple(field for field in found if field.values)


def _words(column: str, values: Sequence[str], more: str = "") -> tuple[Field, ...]:
    return (Field(f"{column} = {{}}{more}", f"{column} = ANY({{}}::text[]){more}", list(dict.fromkeys(values))),)


def statuses(wanted: TaskFilter) -> tuple[str, ...]:
    """The condition for each status."""
    return tuple(_STATUS[status] for status in dict.fromkeys(wanted.statuses))


def bounds(wanted: TaskFilter, values: Values) -> tuple[str, ...]:
    """What is asked of ids and moments: conditions that go with any order by id."""
    lowest, highest = ids_made_in(wanted.created_after, wanted.created_before)
    ids = wanted.id_range or (None, None)
    asked = (
        ("id = ANY({}::uuid[])", list(wanted.ids) or None),
        ("id >= {}", ids[0]),
        ("id <= {}", ids[1]),
        ("id <= {}", wanted.up_to),
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


def selected(conditions: Sequence[str], limit: str, columns: str = TASK) -> str:
    """The newest tasks that fit all conditions."""
    where = f"WHERE {' AND '.join(conditions)} " if conditions else ""
    return f"SELECT {columns} FROM tasks {where}ORDER BY id DESC LIMIT {limit}"
