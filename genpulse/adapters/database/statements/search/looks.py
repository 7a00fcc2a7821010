"""Statements that look through a bounded number of tasks, whatever is asked of them.

They are led by a condition that has an index in order of id: a field, the status, or the id alone. The newest so
many tasks of that are looked at, and each says whether it fits the rest. The last of them is told even where it
does not fit, so that the next look goes on from there; where none is, all that there is was seen.

Indexes of words and of metadata are in no order. Of those so many rows are read as they come: where that was all,
it is known what fits, and else nothing is.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from genpulse.adapters.database.statements.columns import ONE_OF_MANY
from genpulse.adapters.database.statements.search import groups
from genpulse.adapters.database.statements.search.conditions import (
    ID_OF_NO_INDEX,
    Field,
    Values,
    contents,
    fields,
    statuses,
)
from genpulse.adapters.database.statements.search.searches import (
    ENDED,
    Statement,
    either,
    ended,
    is_implied,
    led_by,
    limits_of,
)
from genpulse.domain.search.task_query import TaskFilter, TaskQuery
from genpulse.domain.task import TaskStatus

_HAS_ENDED, _GOES_ON = ENDED


@dataclass(frozen=True, slots=True)
class Lead:
    """The condition whose index is followed: a field, or one of some states, or neither."""

    field: Field | None = None
    states: Sequence[str] = ()

    def newest(self, query: TaskQuery, at_most: int, values: Values) -> str:
        """The newest so many of it, all its values together; the last one of each has the `place` `at_most`."""
        if self.field is not None:
            parts, order = led_by(self.field, query, values), self.field.order
        else:
            limits, order = limits_of(query, values), "id DESC"
            parts = [[*limits, state] for state in self.states] or [limits]
        limit = values.put(self.share(at_most))
        each = [
            f"SELECT *, row_number() OVER (ORDER BY {order}) AS place FROM (SELECT * FROM tasks"
            f" WHERE {' AND '.join(part)} ORDER BY {order} LIMIT {limit}) AS newest"
            for part in parts
        ]
        return each[0] if len(each) == 1 else " UNION ALL ".join(f"({one})" for one in each)

    def share(self, at_most: int) -> int:
        """How many of them are looked at for each value."""
        return max(1, at_most // self.parts)

    @property
    def parts(self) -> int:
        """How many values it has."""
        return max(1, len(self.field.values) if self.field else len(self.states))

    def rest(self, task_filter: TaskFilter, values: Values) -> str:
        """What else is asked of each."""
        others = [field.condition(values) for field in fields(task_filter) if field != self.field]
        states = statuses(task_filter)
        is_led_by_them = self.field is None and self.states == states
        asked = () if is_led_by_them or is_implied(task_filter) else states
        return _all([*others, *either(asked), *contents(task_filter, values, is_planned=False)])


def leads(task_filter: TaskFilter) -> list[Lead]:
    """What may be followed for this filter: no index knows the tasks of nobody."""
    if task_filter.ids:
        return [Lead()]
    candidates = [Lead(field) for field in fields(task_filter) if "" not in field.values]
    if task_filter.statuses and not is_implied(task_filter):
        candidates.append(Lead(states=statuses(task_filter)))
    return candidates or [Lead()]


def edges(query: TaskQuery, candidates: Sequence[Lead], at_most: int) -> Statement:
    """How far back so many tasks of each lead go, in one row; NULL where it has no more of them."""
    values = Values()
    each = [
        f"(SELECT id FROM ({lead.newest(query, at_most, values)}) AS looked"
        f" WHERE place = {values.put(lead.share(at_most))} ORDER BY id DESC LIMIT 1)"
        for lead in candidates
    ]
    return Statement(f"SELECT ARRAY[{', '.join(each)}] AS edges", values.given)


def page(query: TaskQuery, lead: Lead, at_most: int) -> Statement:
    """Those that fit among the newest of the lead, and the last ones of it, which have the `place` `at_most`."""
    values = Values()
    order = lead.field.order if lead.field and lead.parts == 1 else "id DESC"
    text = f"""
    SELECT {ONE_OF_MANY}, place, fits FROM ({_looked(query, lead, at_most, values)}) AS tasks
    WHERE fits OR place = {values.put(lead.share(at_most))}
    ORDER BY {order} LIMIT {query.limit + lead.parts - 1}
    """
    return Statement(text, values.given)


def count(query: TaskQuery, lead: Lead, at_most: int) -> Statement:
    """The same ones, counted where they are alike, with `back_to` in each row: how far back it was looked."""
    values = Values()
    looked, last = _looked(query, lead, at_most, values), values.put(lead.share(at_most))
    counted = "SELECT * FROM looked WHERE fits AND coalesce(id >= (SELECT id FROM edge), true)"
    text = f"""
    WITH looked AS MATERIALIZED (
        SELECT {groups.READ}, place, fits FROM ({looked}) AS tasks
    ), edge AS MATERIALIZED (
        SELECT (SELECT id FROM looked WHERE place = {last} ORDER BY id DESC LIMIT 1) AS id
    )
    SELECT edge.id AS back_to, alike.* FROM edge LEFT JOIN ({groups.groups(counted)}) AS alike ON true
    """
    return Statement(text, values.given)


def _looked(query: TaskQuery, lead: Lead, at_most: int, values: Values) -> str:
    newest = lead.newest(query, at_most, values)
    return f"SELECT *, ({lead.rest(query.filter, values)}) AS fits FROM ({newest}) AS newest"


def unordered(query: TaskQuery) -> list[TaskFilter]:
    """The parts of the filter that have indexes in no order. Words of what has not ended are in none."""
    parts = [TaskFilter(metadata=(one,)) for one in query.filter.metadata]
    if query.filter.texts and _HAS_ENDED in ended(query.filter):
        parts.append(TaskFilter(texts=query.filter.texts))
    return parts


def may_go_on(task_filter: TaskFilter) -> bool:
    """Whether tasks are meant that have not ended."""
    return _GOES_ON in ended(task_filter)


def ended_well() -> Lead:
    """All that has succeeded."""
    return Lead(states=statuses(TaskFilter(statuses=(TaskStatus.SUCCEEDED,))))


def going_on() -> Lead:
    """All that has not ended."""
    return Lead(states=(_GOES_ON,))


def page_of_all(query: TaskQuery, part: TaskFilter, at_most: int) -> Statement:
    """Those that fit among all of a part of the filter. With more than `at_most` `looked` at it is not all."""
    values = Values()
    text = f"""
    WITH found AS MATERIALIZED ({_gathered("id", query, part, at_most, values)})
    SELECT looked.count AS looked, tasks.* FROM (SELECT count(*) FROM found) AS looked LEFT JOIN (
        SELECT {ONE_OF_MANY}, true AS fits FROM tasks
        WHERE id = ANY(ARRAY(SELECT id FROM found WHERE fits ORDER BY id DESC LIMIT {query.limit}))
    ) AS tasks ON true
    ORDER BY id DESC
    """
    return Statement(text, values.given)


def count_of_all(query: TaskQuery, part: TaskFilter, at_most: int) -> Statement:
    """The same ones, counted where they are alike."""
    values = Values()
    text = f"""
    WITH found AS MATERIALIZED ({_gathered(groups.READ, query, part, at_most, values)})
    SELECT looked.count AS looked, alike.* FROM (SELECT count(*) FROM found) AS looked LEFT JOIN (
        {groups.groups("SELECT * FROM found WHERE fits")}
    ) AS alike ON true
    """
    return Statement(text, values.given)


def _gathered(columns: str, query: TaskQuery, part: TaskFilter, at_most: int, values: Values) -> str:
    """As they come: what else is asked is no condition here, or rows would be read for it that are not counted."""
    where = [*contents(part, values, is_planned=True), *([_HAS_ENDED] if part.texts else [])]
    others = TaskFilter(
        texts=query.filter.texts if part.metadata else (),
        metadata=tuple(one for one in query.filter.metadata if one not in part.metadata),
    )
    fits = [
        *limits_of(query, values, ID_OF_NO_INDEX),
        *(field.condition(values) for field in fields(query.filter)),
        *either(statuses(query.filter)),
        *contents(others, values, is_planned=False),
    ]
    return f"SELECT {columns}, ({_all(fits)}) AS fits FROM tasks WHERE {' AND '.join(where)} LIMIT {at_most + 1}"


def _all(conditions: Sequence[str]) -> str:
    return " AND ".join(conditions) or "true"
