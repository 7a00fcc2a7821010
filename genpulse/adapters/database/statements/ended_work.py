"""Counting what ended within a time: each statement walks a piece of one index."""

from genpulse.adapters.database.statements.search.groups import COST_USD

_WITHIN = """{column} > $1 AND {column} <= $2{and_more}
    ORDER BY {column} FETCH FIRST ($3::bigint) ROWS WITH TIES"""


def _within(column: str, and_more: str = "") -> str:
    return _WITHIN.format(column=column, and_more=and_more)


SETTLED_UNTIL = """
SELECT least(now() - $1::interval, greatest(now() - interval '30 s', coalesce(
    (SELECT min(xact_start) - interval '1 us' FROM pg_stat_activity
     WHERE datname = current_database() AND backend_type = 'client backend' AND pid <> pg_backend_pid()),
    now())))
"""
"""What ends bears the time at which its transaction began: so no further than the oldest that is open.

One that is open for more than 30 seconds, as a dump, holds nothing up: our own statements are ended before that.
The lag $1 is for those that have just begun, and for sessions of other roles, which we may not see.
"""

# A row that was retried began with its first attempt after that.
TASKS = f"""
WITH ended AS MATERIALIZED (
    SELECT id, provider, model, status, error, cost, created_at, run_at, depends_on, retried_at, started_at,
           finished_at
    FROM tasks WHERE {_within("finished_at")}),
begun AS (
    SELECT *, CASE WHEN retried_at IS NULL THEN started_at ELSE (
        SELECT min(attempts.started_at) FROM attempts
        WHERE attempts.task_id = ended.id AND attempts.started_at >= ended.retried_at) END AS begun_at
    FROM ended),
measured AS (
    SELECT *,
           CASE WHEN begun_at IS NOT NULL AND depends_on IS NULL
                THEN greatest(begun_at - greatest(created_at, run_at, retried_at), interval '0') END AS waiting,
           CASE WHEN begun_at IS NOT NULL THEN greatest(finished_at - begun_at, interval '0') END AS running
    FROM begun)
SELECT provider, model, status, coalesce(error ->> 'code', '') AS code,
       width_bucket(waiting, $4::interval[]) AS waiting, width_bucket(running, $4::interval[]) AS running,
       count(*) AS count, coalesce(sum({COST_USD}), 0) AS cost_usd,
       coalesce(sum(extract(epoch FROM waiting)), 0)::float8 AS waiting_s,
       coalesce(sum(extract(epoch FROM running)), 0)::float8 AS running_s, max(finished_at) AS last_at
FROM measured GROUP BY 1, 2, 3, 4, 5, 6
"""

ATTEMPTS = f"""
WITH ended AS MATERIALIZED (
    SELECT provider, model, status, error, finished_at,
           CASE WHEN submitting_at IS NOT NULL AND status IN ('succeeded', 'failed')
                THEN greatest(finished_at - submitting_at, interval '0') END AS vendor
    FROM attempts WHERE {_within("finished_at")})
SELECT provider, model, status, coalesce(error ->> 'code', '') AS code,
       width_bucket(vendor, $4::interval[]) AS vendor, count(*) AS count,
       coalesce(sum(extract(epoch FROM vendor)), 0)::float8 AS vendor_s, max(finished_at) AS last_at
FROM ended GROUP BY 1, 2, 3, 4, 5
"""

DELIVERIES = f"""
WITH tried AS MATERIALIZED (
    SELECT tried_at, delivered_at, next_try_at, status_code
    FROM deliveries WHERE {_within("tried_at", " AND ($4::text IS NULL OR environment = $4)")})
SELECT CASE WHEN delivered_at IS NOT NULL THEN 'delivered' WHEN next_try_at IS NULL THEN 'given_up'
            ELSE 'will_be_retried' END AS outcome,
       status_code / 100 * 100 AS hundred, count(*) AS count, max(tried_at) AS last_at
FROM tried GROUP BY 1, 2
"""
