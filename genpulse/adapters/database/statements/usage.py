"""Adding up what tasks came to."""

from genpulse.adapters.database.statements.conditions import Values, bounds_of_all
from genpulse.adapters.database.statements.groups import COST_USD
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
    SELECT created_at, provider, model, owner, status,
           CASE WHEN deleted_at IS NULL THEN metadata ELSE '{{}}'::jsonb END AS metadata, cost, price_usd
    FROM tasks WHERE {where}
    UNION ALL
    SELECT created_at, provider, model, owner, status, '{{}}'::jsonb,
           CASE WHEN cost_usd IS NOT NULL THEN jsonb_build_object('amount_usd', cost_usd::text) END, price_usd
    FROM tombstones WHERE erased_at IS NOT NULL AND {where}
"""
"""What was deleted counts as before, but for its metadata, of which nothing is kept."""


def usage(query: UsageQuery, values: Values) -> str:
    """Rows in the order of what they are put together by: `f0`, `f1`, … and `m0`, `m1`, …."""
    limits = bounds_of_all(TaskFilter(created_after=query.start, created_before=query.end), values)
    owned = [] if query.owner is None else [f"owner = {values.put(query.owner)}"]
    if query.owner:
        owned.append("owner <> ''")
    by = [
        *(f"{_COLUMNS[field]} AS f{place}" for place, field in enumerate(query.fields)),
        *(f"metadata ->> {values.put(name)}::text AS m{place}" for place, name in enumerate(query.metadata)),
    ]
    places = ", ".join(str(place) for place in range(1, len(by) + 1))
    counts = (f"count(*) FILTER (WHERE status = '{status}') AS {status}" for status in TaskStatus)
    return f"""
    SELECT {"".join(f"{column}, " for column in by)}{", ".join(counts)}, coalesce(sum({COST_USD}), 0) AS cost_usd,
           coalesce(sum(price_usd), 0) AS price_usd, count(*) - count(price_usd) AS unpriced
    FROM ({_COUNTED.format(where=" AND ".join([*limits, *owned]) or "true")}) AS counted
    {f"GROUP BY {places} ORDER BY {places}" if by else ""} LIMIT {values.put(query.limit)}
    """
