"""Statements that find a page of tasks, newest first, whatever is asked of them.

An index in order of id answers a page at once, whatever the table holds: of all tasks, or of those with one value
of one field. Of several values each gives a page of its own, of which the newest are taken. That does not do for
what has no such index, such as metadata, words, or two fields together. There the newest tasks are looked through
first, which finds a page of whatever is common. What is rare is then found by all indexes together, and put in
order.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from genpulse.adapters.database.statements.columns import ONE_OF_MANY
from genpulse.adapters.database.statements.search.conditions import (
    ID,
    ID_OF_NO_INDEX,
    Field,
    Values,
    bounds,
    contents,
    fields,
    ids_meant,
    moments,
    selected,
    statuses,
)
from genpulse.domain.search.task_query import TaskFilter, TaskQuery
from genpulse.domain.task import TaskStatus

PAGES = (2, 21, 101)
"""So many are asked for: a number that the planner sees, so that it reads a page and does not sort what fits."""
ENDED = ("finished_at IS NOT NULL", "finished_at IS NULL")
FEW = 10_000
"""So many tasks may be read for a word."""
LOOKED_THROUGH = 1000
"""So many of the newest tasks are looked through before all indexes are asked."""


@dataclass(frozen=True, slots=True)
class Statement:
    """A statement and its values. `is_whole`: what it finds is the page, also where that is not full."""

    text: str
    values: Sequence[object]
    is_whole: bool = True


def first(query: TaskQuery) -> tuple[Statement, ...]:
    """What is asked one after the other, until the page is full or a statement is whole."""
    task_filter = query.filter
    filter_fields, states = fields(task_filter), () if is_implied(task_filter) else statuses(task_filter)
    is_in_order = not task_filter.metadata and not task_filter.texts and len(filter_fields) + bool(states) <= 1
    if is_in_order or task_filter.ids:
        return (_turned(query, _in_order(query, filter_fields, states)),)
    return tuple(_turned(query, statement) for statement in _newest(query, filter_fields, states))


def _turned(query: TaskQuery, statement: Statement) -> Statement:
    """The same from the other end, where the oldest are wanted: every index can be read both ways."""
    return replace(statement, text=statement.text.replace(" DESC", " ASC")) if query.oldest_first else statement


def is_implied(task_filter: TaskFilter) -> bool:
    """A code says already that the task has failed."""
    return bool(task_filter.codes) and set(task_filter.statuses) == {TaskStatus.FAILED}


def _in_order(query: TaskQuery, filter_fields: Sequence[Field], states: Sequence[str]) -> Statement:
    limit, values = _page(query), Values()
    if query.filter.ids or not filter_fields:
        limits = limits_of(query, values)
        if query.filter.ids:
            limits += _all(query.filter, filter_fields, states, values)
            return Statement(selected(limits, limit), values.given)
        pages = [selected([*limits, state], limit) for state in states] or [selected(limits, limit)]
    else:
        (field,) = filter_fields
        pages = [selected(each, limit, order=field.order) for each in led_by(field, query, values)]
    if len(pages) == 1:
        return Statement(pages[0], values.given)
    each = " UNION ALL ".join(f"({page})" for page in pages)
    return Statement(f"SELECT * FROM ({each}) AS tasks ORDER BY id DESC LIMIT {limit}", values.given)


def _newest(query: TaskQuery, filter_fields: Sequence[Field], states: Sequence[str]) -> Iterator[Statement]:
    """Of the newest ones of that field which has one value, if any has; then of those of the one status.

    The newest of a provider may all be waiting, and the newest that ended be of others.
    """
    leading = next((field for field in filter_fields if len(field.values) == 1), None)
    if leading is not None:
        yield _among(query, [field for field in filter_fields if field is not leading], states, leading)
    if len(states) == 1:
        yield _among(query, filter_fields, (), status=states[0])
    elif leading is None:
        yield _among(query, filter_fields, states)


def _among(
    query: TaskQuery,
    others: Sequence[Field],
    states: Sequence[str],
    leading: Field | None = None,
    *,
    status: str = "",
) -> Statement:
    """Those that fit the others as well, among the newest of the leading field, of a status, or of all."""
    values = Values()
    if leading is not None:
        (by_id,) = led_by(leading, query, values)
    else:
        by_id = [*limits_of(query, values), *([status] if status else [])]
    rest = [
        *(field.condition(values) for field in others),
        *either(states),
        *contents(query.filter, values, is_planned=False),
    ]
    order = leading.order if leading else "id DESC"
    newest = selected(by_id, values.put(LOOKED_THROUGH), "*", order)
    fitting = f"SELECT {ONE_OF_MANY} FROM ({newest}) AS tasks{_where(rest)}"
    text = f"{fitting} ORDER BY {order} LIMIT {_page(query)}"
    return Statement(text, values.given, is_whole=False)


def _where(conditions: Sequence[str]) -> str:
    return f" WHERE {' AND '.join(conditions)}" if conditions else ""


def led_by(field: Field, query: TaskQuery, values: Values) -> list[list[str]]:
    """For each value of the field the conditions of its page."""
    ids, before = ids_meant(query.filter), query.before
    limits = list(moments(query.filter, values))
    if before is not None:
        ids = ids.narrowed(before, None) if query.oldest_first else ids.narrowed(None, before)
        limits.append(f"id <> {values.put(before)}")
    return [[*limits, one] for one in field.ranges(values, ids)]


def of_ended(query: TaskQuery) -> Statement | None:
    """Whether what fits is common among what ended well, though not among the newest; None for a status.

    That is so while many tasks wait that do not fit.
    """
    if query.filter.statuses or query.filter.codes:
        return None
    status = statuses(TaskFilter(statuses=(TaskStatus.SUCCEEDED,)))[0]
    return _turned(query, _among(query, fields(query.filter), (), status=status))


def by_id(query: TaskQuery) -> Statement:
    """For what is common, and not among the newest: it follows the order of ids until the page is full."""
    values = Values()
    return _turned(query, Statement(selected(_whole(query, values), _page(query)), values.given))


def _whole(query: TaskQuery, values: Values, id_is: str = ID) -> list[str]:
    return [
        *limits_of(query, values, id_is),
        *_all(query.filter, fields(query.filter), statuses(query.filter), values),
    ]


def is_impossible(task_filter: TaskFilter) -> bool:
    """Whether no task fits: what has a code has failed."""
    return bool(task_filter.codes and task_filter.statuses) and TaskStatus.FAILED not in task_filter.statuses


def made_then(query: TaskQuery) -> Statement:
    """All tasks of the times that are asked for, for the planner to say how many these are."""
    values = Values()
    limits = limits_of(TaskQuery(before=query.before, filter=_times(query.filter)), values)
    return Statement(selected(limits, "ALL", "id"), values.given)


def _times(task_filter: TaskFilter) -> TaskFilter:
    return TaskFilter(
        id_range=task_filter.id_range,
        created_after=task_filter.created_after,
        created_before=task_filter.created_before,
    )


def by_all_indexes(query: TaskQuery, *, of_few: bool = False) -> Statement:
    """For what is rare. Its values have to be planned with: they say which index finds the fewest.

    `of_few`: in the times that are asked for few tasks came, among which words may be looked for.
    """
    values, id_is = Values(), ID if of_few or not query.filter.texts else ID_OF_NO_INDEX
    text = f"""
    WITH found AS MATERIALIZED ({_matching("id", _whole(query, values, id_is), query.filter)})
    SELECT {ONE_OF_MANY} FROM tasks
    WHERE id = ANY(ARRAY(SELECT id FROM found ORDER BY id DESC LIMIT {_page(query)}))
    ORDER BY id DESC
    """
    return _turned(query, Statement(text, values.given))


def matching(task_filter: TaskFilter, values: Values) -> str:
    """All tasks that fit, for what counts them."""
    conditions = [
        *bounds(task_filter, values),
        *_all(task_filter, fields(task_filter), statuses(task_filter), values),
    ]
    return _matching("*", conditions, task_filter)


def _matching(columns: str, conditions: Sequence[str], task_filter: TaskFilter) -> str:
    """The index of words knows those that have ended: the others are few, and are read for it."""
    parts = [[*conditions, one] for one in ended(task_filter)] if task_filter.texts else [conditions]
    return " UNION ALL ".join(f"SELECT {columns} FROM tasks{_where(part)}" for part in parts)


def ended(task_filter: TaskFilter) -> Sequence[str]:
    """Whether those are meant that have ended, the others, or both."""
    has_ended, goes_on = ENDED
    meant = {has_ended if status.ended else goes_on for status in task_filter.statuses}
    if task_filter.codes:
        meant = meant & {has_ended} if meant else {has_ended}
    return [one for one in ENDED if one in meant] or ENDED


def _page(query: TaskQuery) -> str:
    return str(next((size for size in PAGES if size >= query.limit), query.limit))


def limits_of(query: TaskQuery, values: Values, id_is: str = ID) -> list[str]:
    beyond = ">" if query.oldest_first else "<"
    before = [] if query.before is None else [f"{id_is} {beyond} {values.put(query.before)}"]
    return [*before, *bounds(query.filter, values, id_is)]


def _all(
    task_filter: TaskFilter, filter_fields: Sequence[Field], states: Sequence[str], values: Values
) -> list[str]:
    return [
        *(field.condition(values) for field in filter_fields),
        *either(states),
        *contents(task_filter, values, is_planned=True),
    ]


def either(states: Sequence[str]) -> list[str]:
    return [f"({' OR '.join(f'({state})' for state in states)})"] if states else []
