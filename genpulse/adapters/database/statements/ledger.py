"""Entries of the ledger, written by the statements that submit and end tasks; and reading them."""

from genpulse.domain.money.ledger import AmountSource, EntryKind

_COLUMNS = (
    "task_id, attempt, provider, model, owner, environment, kind, amount_usd, day, source, rule_version, flag,"
    " reported"
)


def reserved(versions: str) -> str:
    """A CTE that reserves the prices of the tasks in `written`, by the versions of their rules in a parameter."""
    return f"""
entered AS (
INSERT INTO ledger ({_COLUMNS})
SELECT written.id, 0, provider, model, owner, environment, '{EntryKind.RESERVED}', price_usd,
       (created_at AT TIME ZONE 'utc')::date, '{AmountSource.PRICE}', rule.version, NULL, NULL
FROM written JOIN unnest($1::uuid[], {versions}::text[]) AS rule(task_id, version) ON rule.task_id = written.id
WHERE price_usd > 0)
"""


def entered(changes: str) -> str:
    """A CTE that enters what rows of another one have done with money.

    They are tasks, with their `day` and `held_usd`, the price that was reserved before; null where the change
    itself reserves it. `usd` is by how much what counts has changed but for refunds, `settled_usd` and
    `refunded_usd` what was settled and, of `refunded_day`, given back; the rest is of the cost.

    What counts is what is reserved and not released. So what it grows by is reserved, and what it shrinks by is
    released; what was reserved and settled goes on to count. A task's first entry says what was held before.
    `rule_version` is that of the price of the model that was asked, null where it is that of the first entry;
    `cost_version` the one by which a cost was computed.
    """
    return f"""
entered AS (
INSERT INTO ledger ({_COLUMNS})
SELECT change.id, change.attempt, change.provider, change.model, change.owner, change.environment,
       entry.kind, entry.usd, entry.day, entry.source,
       CASE WHEN entry.source IN ('{AmountSource.PRICE}', '{AmountSource.OPENING}')
            THEN coalesce(CASE WHEN entry.kind <> '{EntryKind.RELEASED}' THEN change.rule_version END,
                          first.rule_version, '')
            ELSE coalesce(change.cost_version, '') END,
       CASE entry.kind WHEN '{EntryKind.SETTLED}' THEN change.flag END,
       CASE entry.kind WHEN '{EntryKind.SETTLED}' THEN change.reported END
FROM {changes} AS change
LEFT JOIN LATERAL (SELECT rule_version FROM ledger WHERE ledger.task_id = change.id
                   ORDER BY ledger.id LIMIT 1) AS first ON true
CROSS JOIN LATERAL (VALUES
    ('{EntryKind.RESERVED}', CASE WHEN first.rule_version IS NULL THEN change.held_usd END, change.day,
     '{AmountSource.OPENING}'),
    ('{EntryKind.REFUNDED}', change.refunded_usd, change.refunded_day, '{AmountSource.PRICE}'),
    ('{EntryKind.RESERVED}', change.usd, change.day, change.source),
    ('{EntryKind.SETTLED}', change.settled_usd, change.day, change.source),
    ('{EntryKind.RELEASED}', -change.usd, change.day, '{AmountSource.PRICE}')) AS entry(kind, usd, day, source)
WHERE entry.usd > 0 OR (entry.kind = '{EntryKind.SETTLED}' AND change.reported IS NOT NULL))
"""


_NOTHING_SETTLED = f"""
0::numeric AS settled_usd, 0::numeric AS refunded_usd, NULL::date AS refunded_day,
'{AmountSource.PRICE}' AS source, NULL::text AS flag, NULL::text AS reported, NULL::text AS rule_version,
NULL::text AS cost_version
"""

_TASK = "id, attempt, provider, model, owner, environment"


def priced(tasks: str, *, usd: str, held_usd: str = "price_usd", day: str = "day") -> str:
    """Changes of what is reserved, and of nothing else, of those of these tasks that have a price."""
    return f"""
(SELECT {_TASK}, {day} AS day, {held_usd} AS held_usd, {usd} AS usd, {_NOTHING_SETTLED}
 FROM {tasks} WHERE price_usd > 0)
"""


_AS_IT_WAS = """
id, attempt, coalesce(move::jsonb ->> 'left', provider) AS provider,
coalesce(move::jsonb ->> 'left_model', model) AS model, owner, environment
"""
"""An attempt that failed was at the model that the task has left."""

OF_ENDED = f"""
(SELECT {_AS_IT_WAS}, day, price_usd AS held_usd, usd, settled_usd, refunded_usd, refunded_day,
        CASE WHEN cost ->> 'rule_version' IS NOT NULL THEN '{AmountSource.RULE}'
             WHEN NOT (cost ->> 'estimated')::bool THEN '{AmountSource.VENDOR}'
             WHEN cost ->> 'flag' IS NULL AND settled_usd IS DISTINCT FROM model_price_usd AND cost IS NOT NULL
             THEN '{AmountSource.RULE}'
             ELSE '{AmountSource.PRICE}' END AS source,
        coalesce(cost ->> 'flag', CASE attempt_error::jsonb ->> 'charged' WHEN 'maybe' THEN 'unsure' END) AS flag,
        cost ->> 'reported' AS reported, rule_version, cost ->> 'rule_version' AS cost_version
 FROM done WHERE price_usd > 0 OR settled_usd > 0 OR cost ->> 'reported' IS NOT NULL)
"""
"""Changes by attempts that have ended, as `FINISH` has them in `done`."""

ENTRIES = "SELECT * FROM ledger WHERE task_id = $1 ORDER BY id"

HORIZON = "SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint"
"""All transactions before this one have ended: nothing is added any more under their numbers."""

FLOWS = f"""
WITH horizon AS MATERIALIZED ({HORIZON} AS transaction)
SELECT kind, provider, model, sum(amount_usd) AS amount_usd, (SELECT transaction FROM horizon) AS horizon
FROM ledger
WHERE transaction >= $1 AND transaction < (SELECT transaction FROM horizon) AND created_at > $2
GROUP BY kind, provider, model
UNION ALL
SELECT NULL, NULL, NULL, 0, transaction FROM horizon
"""
"""What was committed since the horizon $1, and the next one. Entries from another cluster are older than $2."""

OLDEST = """
DELETE FROM ledger WHERE id IN (
    SELECT id FROM ledger
    WHERE day < ((now() - $1::interval) AT TIME ZONE 'utc')::date
      AND ($3::text IS NULL OR environment = $3)
      AND NOT EXISTS (SELECT FROM tasks WHERE tasks.id = ledger.task_id AND finished_at IS NULL)
    ORDER BY day LIMIT $2 FOR UPDATE SKIP LOCKED)
"""
"""But for those of tasks that have not ended."""
