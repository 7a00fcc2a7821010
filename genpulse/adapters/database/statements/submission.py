"""Writing new tasks with their queue entries. Columns of many rows come as arrays.

A submit is one statement, and it has the parts that some task of its batch needs: what few tasks have (a route, a
time to begin at, sources) stands in columns that others leave out, and so do money and the counters of an owner.
"""

from collections.abc import Mapping
from functools import cache

from genpulse.adapters.database.money.spending_counters import TODAY, counted
from genpulse.adapters.database.statements.columns import CHANNEL
from genpulse.adapters.database.statements.ledger import reserved
from genpulse.adapters.database.statements.sources import HAS_UNENDED, linked

_USUAL: Mapping[str, str] = {
    "id": "uuid",
    "environment": "text",
    "owner": "text",
    "kind": "text",
    "provider": "text",
    "model": "text",
    "priority": "smallint",
    "input": "text",
    "metadata": "text",
    "webhook_url": "text",
    "deadline_s": "float8",
    "idempotency_key": "text",
    "fingerprint": "text",
    "price_usd": "numeric",
    "key_digest": "bytea",
    "budget_scopes": "text",
}
"""What every submit writes, in the order of its parameters."""

_SELDOM: Mapping[str, str] = {
    "exact_input": "text",
    "retain_s": "int",
    "batch_id": "uuid",
    "run_at": "timestamptz",
    "depends_on": "text",
    "route": "text",
    "webhook_choice": "text",
    "deadline_is_for_start": "bool",
    "client_token": "uuid",
}
"""What a submit writes where one of its tasks has it, behind the others."""

# A task under the same key is left alone, and not locked: others lock it in the order of ids, keys have another.
_SUBMIT = """
WITH written AS (
INSERT INTO tasks (id, environment, owner, kind, provider, model, status, priority, input, metadata, webhook_url,
                   idempotency_key, fingerprint, created_at, price_usd, budget_scopes, deadline_at{columns})
SELECT id, environment, owner, kind, provider, model, 'queued', priority, input::jsonb, metadata::jsonb,
       webhook_url, idempotency_key, fingerprint, now(), price_usd, budget_scopes::text[],
       {begins_at} + deadline_s * interval '1 s'{values}
FROM unnest({arrays}) AS new({names})
LEFT JOIN LATERAL (SELECT id AS task_id FROM tombstones
                   WHERE tombstones.key_digest = new.key_digest LIMIT 1) AS deleted ON true
WHERE deleted.task_id IS NULL
ON CONFLICT (owner, idempotency_key) WHERE idempotency_key IS NOT NULL DO NOTHING
RETURNING {returned}),
queued AS (
INSERT INTO queue (task_id, owner, provider, priority, due_at, deferred)
SELECT id, owner, provider, priority, {due_at}, {is_deferred}
FROM written){further}
SELECT id, created_at, deadline_at, {next_try_at} AS next_try_at, pg_notify('{channel}', provider) AS told
FROM written
"""

_RETURNED = "id, environment, owner, provider, model, priority, price_usd, budget_scopes, created_at, deadline_at"

_USUAL_PARTS: Mapping[str, str] = {
    "columns": "",
    "values": "",
    "begins_at": "now()",
    "returned": _RETURNED,
    "due_at": "now()",
    "is_deferred": "false",
    "next_try_at": "NULL::timestamptz",
}

_SELDOM_PARTS: Mapping[str, str] = {
    "columns": """, exact_input, retain_s, batch_id, run_at, depends_on, next_try_at, route,
                   webhook_choice, deadline_is_for_start, client_token""",
    "values": f""", exact_input, retain_s, batch_id, run_at, depends_on::uuid[],
       CASE WHEN depends_on IS NULL THEN CASE WHEN run_at > now() THEN run_at END
            WHEN NOT {HAS_UNENDED.format(ids="new.depends_on::uuid[]")} THEN greatest(run_at, now()) END,
       route::jsonb, webhook_choice::jsonb, deadline_is_for_start, client_token""",
    "begins_at": "greatest(run_at, now())",
    "returned": f"{_RETURNED}, depends_on, next_try_at",
    "due_at": """CASE WHEN depends_on IS NOT NULL AND next_try_at IS NULL THEN 'infinity'
            ELSE coalesce(next_try_at, now()) END""",
    "is_deferred": "coalesce(next_try_at > now(), false)",
    "next_try_at": "next_try_at",
}

_OF_NEW = f"""
(SELECT {TODAY} AS day, owner, budget_scopes AS scopes, coalesce(price_usd, 0) AS usd, 1 AS tasks, 1 AS active
 FROM written)
"""


_TRACED = """
traced AS (
INSERT INTO task_traces (task_id, traceparent, tracestate)
SELECT written.id, traceparent, tracestate
FROM unnest(${0}::uuid[], ${1}::text[], ${2}::text[]) AS spans(task_id, traceparent, tracestate)
JOIN written ON written.id = spans.task_id)"""


@cache
def submit(
    *, seldom: bool = False, is_counted: bool = False, is_priced: bool = False, is_traced: bool = False
) -> str:
    """The rows and their queue entries: of each task but those whose key is known, be it of one that was deleted.

    Whoever writes the same key at the same moment is waited for. `seldom`: with the columns that few tasks have.
    `is_counted`: some have an owner or a client token. `is_priced`: some have a price, by the versions of its
    rules in the next parameter. `is_traced`: some have a span, by ids, `traceparent` and `tracestate` in the last
    three.
    """
    columns = {**_USUAL, **_SELDOM} if seldom else _USUAL
    further = [linked("written")] if seldom else []
    if is_priced:
        further.append(reserved(f"${len(columns) + 1}"))
    if is_priced or is_counted:
        further.append(counted(_OF_NEW))
    if is_traced:
        first = len(columns) + is_priced + 1
        further.append(_TRACED.format(first, first + 1, first + 2))
    return _SUBMIT.format(
        arrays=", ".join(f"${number}::{kind}[]" for number, kind in enumerate(columns.values(), start=1)),
        names=", ".join(columns),
        further="".join(f",{part}" for part in further),
        channel=CHANNEL,
        **(_SELDOM_PARTS if seldom else _USUAL_PARTS),
    )
