"""Statements that find a page of tasks, newest first, whatever is asked of them.

An index in order of id answers a page at once, whatever the table holds: of all tasks, or of those with one value of
one field. Of several values each gives a page of its own, of which the newest are taken. That does not do for what
has no such index, such as metadata, words, or two fields together. There the newest tasks are looked through first,
which finds a page of whatever is common. What is rare is then found by all indexes together, and put in order.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from genpulse.adapters.database.statements.columns import TASK
from genpulse.adapters.database.statements.conditions import (
    Field,
    Values,
    bounds,
    contents,
    fields,
    selected,
    statuses,
)
from genpulse.domain.task import TaskStatus
from genpulse.domain.task_query import TaskFilter, TaskQuery

LOOKED_THROUGH = 1000
"""So many of the newest tasks are looked through before all indexes are asked."""


@dataclass(frozen=True, slots=True)
class Statement:
    """A statement and its values. `is_whole`: what it finds is the page, also where that is not full."""

    text: str
    values: Sequence[object]
    is_whole: bool = True


def first(query: TaskQuery) -> Statement:
    """What is asked first."""
    wanted, values = query.filter, Values()
    found, states = fields(wanted), () if _is_implied(wanted) else statuses(wanted)
    is_in_order = not wanted.metadata and not wanted.texts and len(found) + bool(states) <= 1
    if is_in_order or wanted.ids:
        return _in_order(query, found, states, values)
    return _newest(query, found, states, values)


def _is_implied(wanted: TaskFilter) -> bool:
    """A code says already that the task has failed."""
    return bool(wanted.codes) and set(wanted.statuses) == {TaskStatus.FAILED}


def _in_order(query: TaskQuery, found: Sequence[Field], states: Sequence[str], values: Values) -> Statement:
    limits = _limits(query, values)
    if query.filter.ids:
        conditions = [*limits, *_all(query.filter, found, states, values)]
        return Statement(selected(conditions, values.put(query.limit)), values.given)
    each = [*(one for field in found for one in field.conditions(values)), *states]
    limit = values.put(query.limit)
    if len(each) <= 1:
        return Statement(selected([*limits, *each], limit), values.given)
    pages = " UNION ALL ".join(f"({selected([*limits, one], limit)})" for one in each)
    return Statement(f"SELECT * FROM ({pages}) AS tasks ORDER BY id DESC LIMIT {limit}", values.given)


def _newest(query: TaskQuery, found: Sequence[Field], states: Sequence[str], values: Values) -> Statement:
    """Of the newest ones of that field which has one value, if any has."""
    leading = next((field for field in found if len(field.values) == 1), None)
    by_id = [*_limits(query, values), *([leading.condition(values)] if leading else [])]
    others = [field for field in found if field is not leading]
    rest = [
        *(field.condition(values) for field in others),
        *_either(states),
        *contents(query.filter, values, is_planned=False),
    ]
    newest = selected(by_id, str(LOOKED_THROUGH), "*")
    text = (
        f"SELECT {TASK} FROM ({newest}) AS tasks WHERE {' AND '.join(rest)}"
        f" ORDER BY id DESC LIMIT {values.put(query.limit)}"
    )
    return Statement(text, values.given, is_whole=False)


def by_all_indexes(query: TaskQuery) -> Statement:
    """For what is rare. Its values have to be planned with: they say which index finds the fewest."""
    values = Values()
    conditions = [
        *_limits(query, values),
        *_all(query.filter, fields(query.filter), statuses(query.filter), values),
    ]
    text = f"""
    WITH found AS MATERIALIZED (SELECT id FROM tasks WHERE {" AND ".join(conditions)})
    SELECT {TASK} FROM tasks
    WHERE id = ANY(ARRAY(SELECT id FROM found ORDER BY id DESC LIMIT {values.put(query.limit)}))
    ORDER BY id DESC
    """  # noqa: S608 - our own conditions
    return Statement(text, values.given)


def matching(wanted: TaskFilter, values: Values) -> str:
    """All conditions of a filter, for what counts every task that fits."""
    conditions = [*bounds(wanted, values), *_all(wanted, fields(wanted), statuses(wanted), values)]
    return " AND ".join(conditions) or "true"


def _limits(query: TaskQuery, values: Values) -> list[str]:
    before = [] if query.before is None else [f"id < {values.put(query.before)}"]
    return [*before, *bounds(query.filter, values)]


def _all(wanted: TaskFilter, found: Sequence[Field], states: Sequence[str], values: Values) -> list[str]:
    return [
        *(field.condition(values) for field in found),
        *_either(states),
        *contents(wanted, values, is_planned=True),
    ]


def _either(states: Sequence[str]) -> list[str]:
    return [f"({' OR '.join(f'({state})' for state in states)})"] if states else []
