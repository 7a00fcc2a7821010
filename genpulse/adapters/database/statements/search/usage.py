"""Adding up what tasks came to."""

from genpulse.adapters.database.statements.search.conditions import Values, bounds_of_all
from genpulse.adapters.database.statements.search.groups import COST_USD
from genpulse.domain.money.ledger import EntryKind
from genpulse.domain.search.task_query import TaskFilter
from genpulse.domain.search.usage import UsageField, UsageQuery
from genpulse.domain.search.usage_spans import TimeSpan, UsageSpans
from genpulse.domain.task import TaskStatus

_COLUMNS = {
    UsageField.DAY: "(created_at AT TIME ZONE 'utc')::date",
    UsageField.PROVIDER: "provider",
    UsageField.MODEL: "model",
    UsageField.KEY: "owner",
    UsageField.STATUS: "status",
}

_DELETED = """
SELECT id, created_at, provider, model, owner, status, '{{}}'::jsonb AS metadata,
       CASE WHEN cost_usd IS NOT NULL THEN jsonb_build_object('amount_usd', cost_usd::text) END AS cost, price_usd
FROM tombstones WHERE erased_at IS NOT NULL AND {where}
"""
"""What was deleted counts as before, but for its metadata, of which nothing is kept."""

_COUNTED = f"""
    SELECT id, created_at, provider, model, owner, status,
           CASE WHEN deleted_at IS NULL THEN metadata ELSE '{{{{}}}}'::jsonb END AS metadata, cost, price_usd
    FROM tasks WHERE {{where}}
    UNION ALL {_DELETED}
"""

_SUMMANDS = f"""
created_at, provider, model, owner, status, 1 AS tasks, {COST_USD} AS cost_usd, price_usd,
CASE WHEN price_usd IS NULL THEN 1 ELSE 0 END AS unpriced
"""

_OF_SUMS = "provider, model, owner, status, tasks, cost_usd, price_usd, unpriced"

_MONEY = ", ".join(
    f"coalesce(sum(amount_usd) FILTER (WHERE kind = '{kind}'), 0) AS {kind}_usd" for kind in EntryKind
)
_SUMS = tuple(f"{kind}_usd" for kind in EntryKind)
_ADDED_UP = ", ".join(f"coalesce(sum({name}), 0) AS {name}" for name in _SUMS)
_ENTRY = ", ".join(f"CASE WHEN kind = '{kind}' THEN amount_usd END AS {kind}_usd" for kind in EntryKind)

_OF_LEDGER = {**_COLUMNS, UsageField.DAY: "day"}

SPANS = """
SELECT (SELECT transaction FROM ledger_mark
        WHERE identity IS NOT DISTINCT FROM (SELECT identity FROM environment_stamp)) AS ledger_mark,
       ARRAY(SELECT ARRAY[lower(span), upper(span)]
             FROM unnest(tstzmultirange(tstzrange($1, $2)) - coalesce(
                 (SELECT range_agg(tstzrange(hour, hour + interval '1 hour')) FROM usage_hours
                  WHERE hour >= $1 AND hour <= $2::timestamptz - interval '1 hour'), '{}')) AS span
             ORDER BY lower(span)) AS unsummed
"""
"""What there are no sums of yet between two moments. To be read in the transaction that reads the rest."""


def usage(query: UsageQuery, spans: UsageSpans, values: Values) -> str:
    """Rows in the order of what they are put together by: `f0`, `f1`, … and `m0`, `m1`, …."""
    if query.is_of_ledger:
        return _by_day_of_the_ledger(query, spans, values)
    return _by_task(query, values, _tasks(query, values))


def _tasks(query: UsageQuery, values: Values) -> str:
    return _COUNTED.format(where=_came_in(TimeSpan(query.start, query.end), query, values) or "true")


def _came_in(span: TimeSpan, query: UsageQuery, values: Values) -> str:
    limits = bounds_of_all(TaskFilter(created_after=span.start, created_before=span.end), values)
    return " AND ".join([*limits, *_owned(query, values)])


def _owned(query: UsageQuery, values: Values) -> list[str]:
    owned = [] if query.owner is None else [f"owner = {values.put(query.owner)}"]
    if query.owner:
        owned.append("owner <> ''")
    return owned


def _counts(tasks: str = "count(*)") -> str:
    return ", ".join(f"{tasks} FILTER (WHERE status = '{status}') AS {status}" for status in TaskStatus)


def _grouped(places: int) -> str:
    numbers = ", ".join(str(place) for place in range(1, places + 1))
    return f"GROUP BY {numbers}" if places else ""


def _by_day_of_the_ledger(query: UsageQuery, spans: UsageSpans, values: Values) -> str:
    """Money of whole days, whether its tasks are there or not."""
    names = [f"f{place}" for place in range(len(query.fields))]
    by_tasks, by_ledger = (
        "".join(f"{columns[field]} AS {name}, " for field, name in zip(query.fields, names, strict=True))
        for columns in (_COLUMNS, _OF_LEDGER)
    )
    sums = (*TaskStatus, "cost_usd", "price_usd", "unpriced", *_SUMS)
    output_columns = (
        *(f"coalesce(counted.{name}, money.{name})::text AS {name}" for name in names),
        *(f"coalesce({name}, 0) AS {name}" for name in sums),
    )
    matched = " AND ".join(f"counted.{name} = money.{name}" for name in names)
    join = f"FULL JOIN money ON {matched}" if names else "CROSS JOIN money"
    order = f"ORDER BY {', '.join(names)}" if names else ""
    grouped = _grouped(len(names))
    return f"""
    WITH counted AS (
        SELECT {by_tasks}{_counts("sum(tasks)")}, sum(cost_usd) AS cost_usd, sum(price_usd) AS price_usd,
               sum(unpriced) AS unpriced
        FROM ({" UNION ALL ".join(_summands(query, spans, values))}) AS counted {grouped}),
    money AS (
        SELECT {by_ledger}{_ADDED_UP}
        FROM ({" UNION ALL ".join(_amounts(query, spans, values))}) AS money {grouped})
    SELECT {", ".join(output_columns)} FROM counted {join} {order} LIMIT {values.put(query.limit)}
    """


def _summands(query: UsageQuery, spans: UsageSpans, values: Values) -> list[str]:
    """Tasks one by one, those of whole hours together: of hours that have sums those that have not ended."""
    parts = []
    for span in spans.summed:
        came_in = _came_in(span, query, values)
        parts.append(f"SELECT {_SUMMANDS} FROM tasks WHERE finished_at IS NULL AND {came_in}")
    for span in spans.counted:
        came_in = _came_in(span, query, values)
        parts += [
            f"SELECT {_SUMMANDS} FROM tasks WHERE {came_in}",
            f"SELECT {_SUMMANDS} FROM ({_DELETED.format(where=came_in)}) AS deleted",
        ]
    for table, since, ranges in (
        ("usage_sums", "hour", spans.hours),
        ("usage_days", "day", spans.days),
        ("usage_changes", "hour", spans.summed),
    ):
        for span in ranges:
            bounds = [f"{since} >= {values.put(span.start)}", f"{since} < {values.put(span.end)}"]
            where = " AND ".join([*bounds, *_owned(query, values)])
            parts.append(f"SELECT {since} AS created_at, {_OF_SUMS} FROM {table} WHERE {where}")
    return parts


def _amounts(query: UsageQuery, spans: UsageSpans, values: Values) -> list[str]:
    """Amounts of days: sums, and the entries that are not in them yet."""
    days = [f"day >= {values.put(query.first_day)}", f"day <= {values.put(query.last_day)}"]
    conditions = [*days, *_owned(query, values)]
    names = "day, provider, model, owner"
    if spans.ledger_mark is None:
        return [f"SELECT {names}, {_ENTRY} FROM ledger WHERE {' AND '.join(conditions)}"]
    newer = " AND ".join([*conditions, f"transaction >= {values.put(spans.ledger_mark)}"])
    return [
        f"SELECT {names}, {', '.join(_SUMS)} FROM ledger_sums WHERE {' AND '.join(conditions)}",
        f"SELECT {names}, {_ENTRY} FROM ledger WHERE {newer}",
    ]


def _by_task(query: UsageQuery, values: Values, tasks: str) -> str:
    """Money of the tasks that are counted, whenever it was spent."""
    by = [
        *(f"{_COLUMNS[field]}::text AS f{place}" for place, field in enumerate(query.fields)),
        *(f"metadata ->> {values.put(name)}::text AS m{place}" for place, name in enumerate(query.metadata)),
    ]
    places = ", ".join(str(place) for place in range(1, len(by) + 1))
    money = f"SELECT task_id, {_MONEY} FROM ledger WHERE day >= {values.put(query.first_day)} GROUP BY task_id"
    return f"""
    SELECT {"".join(f"{column}, " for column in by)}{_counts()},
           coalesce(sum({COST_USD}), 0) AS cost_usd, coalesce(sum(price_usd), 0) AS price_usd,
           count(*) - count(price_usd) AS unpriced, {_ADDED_UP}
    FROM ({tasks}) AS counted LEFT JOIN ({money}) AS money ON money.task_id = counted.id
    GROUP BY {places} ORDER BY {places} LIMIT {values.put(query.limit)}
    """
