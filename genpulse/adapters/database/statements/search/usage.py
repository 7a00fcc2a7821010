"""Adding up what tasks came to."""

from genpulse.adapters.database.statements.search.conditions import Values, bounds_of_all
from genpulse.adapters.database.statements.search.groups import COST_USD
from genpulse.domain.money.ledger import EntryKind
from genpulse.domain.search.task_query import TaskFilter
from genpulse.domain.search.usage import UsageField, UsageQuery
from genpulse.domain.task import TaskStatus

_COLUMNS = {
    UsageField.DAY: "(created_at AT TIME ZONE 'utc')::date::text",
    UsageField.PROVIDER: "provider",
    UsageField.MODEL: "model",
    UsageField.KEY: "owner",
    UsageField.STATUS: "status",
}

_COUNTED = """
    SELECT id, created_at, provider, model, owner, status,
           CASE WHEN deleted_at IS NULL THEN metadata ELSE '{{}}'::jsonb END AS metadata, cost, price_usd
    FROM tasks WHERE {where}
    UNION ALL
    SELECT id, created_at, provider, model, owner, status, '{{}}'::jsonb,
           CASE WHEN cost_usd IS NOT NULL THEN jsonb_build_object('amount_usd', cost_usd::text) END, price_usd
    FROM tombstones WHERE erased_at IS NOT NULL AND {where}
"""
"""What was deleted counts as before, but for its metadata, of which nothing is kept."""


_MONEY = ", ".join(
    f"coalesce(sum(amount_usd) FILTER (WHERE kind = '{kind}'), 0) AS {kind}_usd" for kind in EntryKind
)
_SUMS = tuple(f"{kind}_usd" for kind in EntryKind)

_OF_LEDGER = {**_COLUMNS, UsageField.DAY: "day::text"}


def usage(query: UsageQuery, values: Values) -> str:
    """Rows in the order of what they are put together by: `f0`, `f1`, … and `m0`, `m1`, …."""
    tasks = _tasks(query, values)
    return _by_day_of_the_ledger(query, values, tasks) if query.is_of_ledger else _by_task(query, values, tasks)


def _tasks(query: UsageQuery, values: Values) -> str:
    limits = bounds_of_all(TaskFilter(created_after=query.start, created_before=query.end), values)
    where = " AND ".join([*limits, *_owned(query, values)]) or "true"
    return _COUNTED.format(where=where)


def _owned(query: UsageQuery, values: Values) -> list[str]:
    owned = [] if query.owner is None else [f"owner = {values.put(query.owner)}"]
    if query.owner:
        owned.append("owner <> ''")
    return owned


def _sums() -> str:
    counts = (f"count(*) FILTER (WHERE status = '{status}') AS {status}" for status in TaskStatus)
    return f"""
    {", ".join(counts)}, coalesce(sum({COST_USD}), 0) AS cost_usd,
    coalesce(sum(price_usd), 0) AS price_usd, count(*) - count(price_usd) AS unpriced
    """


def _grouped(places: int) -> str:
    numbers = ", ".join(str(place) for place in range(1, places + 1))
    return f"GROUP BY {numbers}" if places else ""


def _by_day_of_the_ledger(query: UsageQuery, values: Values, tasks: str) -> str:
    """Money of whole days, whether its tasks are there or not."""
    names = [f"f{place}" for place in range(len(query.fields))]
    by_tasks, by_ledger = (
        "".join(f"{columns[field]} AS {name}, " for field, name in zip(query.fields, names, strict=True))
        for columns in (_COLUMNS, _OF_LEDGER)
    )
    days = [f"day >= {values.put(query.first_day)}", f"day <= {values.put(query.last_day)}"]
    where = " AND ".join([*days, *_owned(query, values)])
    sums = (*TaskStatus, "cost_usd", "price_usd", "unpriced", *_SUMS)
    output_columns = (
        *(f"coalesce(counted.{name}, money.{name}) AS {name}" for name in names),
        *(f"coalesce({name}, 0) AS {name}" for name in sums),
    )
    matched = " AND ".join(f"counted.{name} = money.{name}" for name in names)
    join = f"FULL JOIN money ON {matched}" if names else "CROSS JOIN money"
    order = f"ORDER BY {', '.join(names)}" if names else ""
    return f"""
    WITH counted AS (SELECT {by_tasks}{_sums()} FROM ({tasks}) AS counted {_grouped(len(names))}),
    money AS (SELECT {by_ledger}{_MONEY} FROM ledger WHERE {where} {_grouped(len(names))})
    SELECT {", ".join(output_columns)} FROM counted {join} {order} LIMIT {values.put(query.limit)}
    """


def _by_task(query: UsageQuery, values: Values, tasks: str) -> str:
    """Money of the tasks that are counted, whenever it was spent."""
    by = [
        *(f"{_COLUMNS[field]} AS f{place}" for place, field in enumerate(query.fields)),
        *(f"metadata ->> {values.put(name)}::text AS m{place}" for place, name in enumerate(query.metadata)),
    ]
    places = ", ".join(str(place) for place in range(1, len(by) + 1))
    money = f"SELECT task_id, {_MONEY} FROM ledger WHERE day >= {values.put(query.first_day)} GROUP BY task_id"
    sums = ", ".join(f"coalesce(sum({name}), 0) AS {name}" for name in _SUMS)
    return f"""
    SELECT {"".join(f"{column}, " for column in by)}{_sums()}, {sums}
    FROM ({tasks}) AS counted LEFT JOIN ({money}) AS money ON money.task_id = counted.id
    GROUP BY {places} ORDER BY {places} LIMIT {values.put(query.limit)}
    """
