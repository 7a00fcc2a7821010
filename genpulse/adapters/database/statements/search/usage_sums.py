"""Keeping sums of usage: SQL."""

from genpulse.adapters.database.statements.search.groups import COST_USD
from genpulse.domain.money.ledger import EntryKind

_LOCK = 0x67705F75736167
"""The advisory lock of the one who sums up ("gp_usag" in hexadecimal)."""

TURN = f"SELECT pg_try_advisory_xact_lock({_LOCK})"

FENCE = """
SELECT statement_timestamp() AS at, pg_snapshot_xmax(pg_current_snapshot())::text::bigint AS transaction,
       pg_snapshot_xmin(pg_current_snapshot())::text::bigint AS horizon
"""
"""What was written before `at` is of transactions before `transaction`; all before `horizon` have ended."""

OPEN_HOURS = """
SELECT hour FROM generate_series(
    date_trunc('hour', greatest($1::timestamptz - interval '10 years',
                                least((SELECT created_at FROM tasks ORDER BY id LIMIT 1),
                                      (SELECT created_at FROM tombstones ORDER BY id LIMIT 1))), 'UTC'),
    $1 - interval '1 hour', interval '1 hour') AS series(hour)
WHERE NOT EXISTS (SELECT FROM usage_hours WHERE usage_hours.hour = series.hour)
ORDER BY hour DESC LIMIT $2
"""
"""Those that ended before $1 and are not closed, the newest first."""

_CAME = "id >= $2 AND id <= $3 AND created_at >= $1 AND created_at < $1 + interval '1 hour'"

_AMOUNTS = "provider, model, owner, status, tasks, cost_usd, price_usd, unpriced"
_GROUP = "provider, model, owner, status"
_ADDED = "sum(tasks), sum(cost_usd), sum(price_usd), sum(unpriced)"


def _or_add(since: str) -> str:
    names = ("tasks", "cost_usd", "price_usd", "unpriced")
    added = ", ".join(f"{name} = sums.{name} + excluded.{name}" for name in names)
    return f"ON CONFLICT ({since}, {_GROUP}) DO UPDATE SET {added}"


CLOSE_HOUR = f"""
WITH noted AS (
DELETE FROM usage_changes WHERE hour = $1::timestamptz),
closed AS (
INSERT INTO usage_hours (hour) VALUES ($1)),
ended AS (
SELECT provider, model, owner, status, price_usd, {COST_USD} AS cost_usd FROM tasks
WHERE {_CAME} AND finished_at IS NOT NULL
UNION ALL
SELECT provider, model, owner, status, price_usd, usage_cost(cost_usd::text) FROM tombstones
WHERE {_CAME} AND erased_at IS NOT NULL),
counted AS (
SELECT {_GROUP}, count(*) AS tasks, coalesce(sum(cost_usd), 0) AS cost_usd,
       coalesce(sum(price_usd), 0) AS price_usd, count(*) - count(price_usd) AS unpriced
FROM ended GROUP BY {_GROUP}),
of_day AS (
INSERT INTO usage_days AS sums (day, {_AMOUNTS})
SELECT date_trunc('day', $1, 'UTC'), {_AMOUNTS} FROM counted {_or_add("day")})
INSERT INTO usage_sums (hour, {_AMOUNTS}) SELECT $1, {_AMOUNTS} FROM counted
"""
"""What was noted of the hour before is in what is counted now: both are of one moment."""

ADD_CHANGES = f"""
WITH moved AS (
DELETE FROM usage_changes AS change USING usage_hours WHERE usage_hours.hour = change.hour RETURNING change.*),
of_hours AS (
INSERT INTO usage_sums AS sums (hour, {_AMOUNTS})
SELECT hour, {_GROUP}, {_ADDED} FROM moved GROUP BY hour, {_GROUP} {_or_add("hour")}
RETURNING sums.hour AS since, sums.tasks),
of_days AS (
INSERT INTO usage_days AS sums (day, {_AMOUNTS})
SELECT date_trunc('day', hour, 'UTC'), {_GROUP}, {_ADDED} FROM moved GROUP BY 1, {_GROUP} {_or_add("day")}
RETURNING sums.day AS since, sums.tasks)
SELECT since FROM of_hours WHERE tasks = 0 UNION SELECT since FROM of_days WHERE tasks = 0
"""
"""Says since when sums have come to nothing."""

DROP_EMPTY = (
    "DELETE FROM usage_sums WHERE hour = ANY($1::timestamptz[]) AND tasks = 0",
    "DELETE FROM usage_days WHERE day = ANY($1::timestamptz[]) AND tasks = 0",
)

MARK = """
SELECT transaction, identity IS NOT DISTINCT FROM (SELECT identity FROM environment_stamp) AS is_ours
FROM ledger_mark FOR UPDATE
"""

BEGIN_LEDGER = """
WITH emptied AS (DELETE FROM ledger_sums)
INSERT INTO ledger_mark (transaction, identity) VALUES (0, (SELECT identity FROM environment_stamp))
ON CONFLICT (one) DO UPDATE SET transaction = excluded.transaction, identity = excluded.identity
"""

NEXT_MARK = """
SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint AS horizon,
       (SELECT transaction + 1 FROM ledger WHERE transaction >= $1
        ORDER BY transaction OFFSET $2 LIMIT 1) AS one_turn
"""
"""Nothing of an open transaction is read, and some $2 entries at once."""

_MONEY = ", ".join(
    f"coalesce(sum(amount_usd) FILTER (WHERE kind = '{kind}'), 0) AS {kind}_usd" for kind in EntryKind
)
_NAMES = tuple(f"{kind}_usd" for kind in EntryKind)

ADD_ENTRIES = f"""
INSERT INTO ledger_sums AS sums (day, provider, model, owner, {", ".join(_NAMES)})
SELECT day, provider, model, owner, {_MONEY}
FROM ledger WHERE transaction >= $1 AND transaction < $2 GROUP BY day, provider, model, owner
ON CONFLICT (day, provider, model, owner) DO UPDATE
SET {", ".join(f"{name} = sums.{name} + excluded.{name}" for name in _NAMES)}
"""

MOVE_MARK = "UPDATE ledger_mark SET transaction = $1"
