"""Counting tasks that fit a filter."""

COST_USD = """
CASE WHEN cost ->> 'amount_usd' ~ '^[0-9]{1,12}([.][0-9]{1,100})?(E-[0-9]{1,2})?$'
     THEN (cost ->> 'amount_usd')::numeric END
"""
"""What a task cost, where that is an amount that can be added up."""

_ALIKE = (
    "status",
    "provider",
    "model",
    "error ->> 'code' AS code",
    "coalesce((error ->> 'retryable')::bool, false) AS retryable",
    "order_sent_at IS NOT NULL AS has_order",
    "order_job_id IS NOT NULL AS knows_job",
)

READ = "id, status, provider, model, error, order_sent_at, order_job_id, price_usd, cost"
"""What is read of each."""


def groups(tasks: str) -> str:
    """Those of these tasks that are alike, the most first."""
    return f"""
    SELECT {", ".join(_ALIKE)}, count(*) AS count, count(price_usd) AS priced,
           coalesce(sum(price_usd), 0) AS price_usd, coalesce(sum({COST_USD}), 0) AS cost_usd
    FROM ({tasks}) AS tasks
    GROUP BY {", ".join(str(number) for number in range(1, len(_ALIKE) + 1))}
    ORDER BY count(*) DESC
    """
