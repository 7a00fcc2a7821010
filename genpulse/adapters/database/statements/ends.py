"""The ways in which an attempt or a task ends, or begins anew: each is one statement.

Whoever ends an attempt locks its task first and then its entry; who ends a task that waits begins with its entry,
which nobody holds. Several tasks are taken in the order of their ids. So no two wait for each other.
"""

from genpulse.adapters.database.money.spending_counters import DAY, TODAY, counted
from genpulse.adapters.database.statements.columns import (
    AT_END,
    AT_WISH,
    ATTEMPT_TIMES,
    CHANNEL,
    NAMES,
    ORDER,
    TASK,
    worker_channel,
)
from genpulse.adapters.database.statements.ledger import OF_ENDED, entered, priced
from genpulse.adapters.database.statements.sources import HAS_UNENDED, TOLD, linked, woken_by

_IS_DROPPED = (
    "ended.status = 'queued' AND tasks.cancel_requested_at IS NOT NULL"
    " AND NOT (ended.order_open AND tasks.order_sent_at IS NOT NULL)"
)

_ENDS = f"(ended.status <> 'queued' OR ({_IS_DROPPED}))"


def _unless_open(column: str) -> str:
    return f"{column} = CASE WHEN ended.order_open THEN tasks.{column} END"


_PRICE_USD = "coalesce(tasks.price_usd, 0)"

_CURRENT = "(route -> 'targets' -> (route ->> 'place')::int)"

_OF_MODEL = f"""
CASE WHEN route IS NULL THEN price_usd ELSE ({_CURRENT} ->> 'price_usd')::numeric END AS model_price_usd,
{_CURRENT} ->> 'rule_version' AS rule_version
"""
"""What an attempt costs at most, at the model of the route where it was made."""

_SETTLES_USD = "coalesce(ended.model_price_usd, 0)"

_IS_CHARGED = "(ended.attempt_status = 'failed' AND ended.attempt_error::jsonb ->> 'charged' <> 'no')"

# An order that an earlier attempt left open is paid for once, by whichever attempt settles it. What the row said
# of it before is in `ended`, which reads row by row and so keeps the order in which tasks are locked.
_SETTLED_USD = f"""
CASE WHEN {_IS_CHARGED} AND ended.order_settled_usd IS NULL THEN {_SETTLES_USD} ELSE 0 END
+ CASE WHEN ended.cost_usd IS NOT NULL THEN ended.cost_usd
       WHEN ended.status = 'succeeded' THEN {_SETTLES_USD}
       WHEN ended.status = 'canceled' AND ended.order_sent_at IS NOT NULL AND ended.order_settled_usd IS NULL
       THEN {_SETTLES_USD} ELSE 0 END
"""

_IS_REFUND = f"""
(ended.status = 'succeeded' OR (ended.attempt_status = 'failed' AND NOT {_IS_CHARGED} AND NOT ended.order_open))
"""

_STAYS_OPEN = "ended.order_open AND ended.order_sent_at IS NOT NULL"


def _settled(column: str, first: str) -> str:
    """What is known of an order that stays open: its first settlement."""
    settles = f"{_IS_CHARGED} AND ended.model_price_usd > 0"
    new = f"CASE WHEN {settles} THEN coalesce(ended.{column}, {first}) ELSE ended.{column} END"
    return f"{column} = CASE WHEN {_STAYS_OPEN} THEN {new} END"


_OF_ENDED = """
(SELECT day, owner, scopes, usd, 0 AS tasks, CASE WHEN finished_at IS NULL THEN 0 ELSE -1 END AS active
 FROM done{more})
"""

_REFUNDS = """
 UNION ALL
 SELECT refunded_day, owner, scopes, -refunded_usd, 0, 0 FROM done WHERE refunded_usd > 0"""

_GOES_ON = f"ended.move IS NOT NULL AND NOT ({_IS_DROPPED})"

_MOVED = f"""
       provider = CASE WHEN {_GOES_ON} THEN ended.move::jsonb ->> 'provider' ELSE tasks.provider END,
       model = CASE WHEN {_GOES_ON} THEN ended.move::jsonb ->> 'model' ELSE tasks.model END,
       route = CASE WHEN {_GOES_ON} THEN (ended.move::jsonb ->> 'route')::jsonb ELSE tasks.route END,
"""
"""A task that goes on at another model of its route; one that ends stays where it was."""

STOPPED_AFTER = "interval '30 s'"

_FIRST_TIME = 35
_RESULTS_PARAMETER = _FIRST_TIME + len(ATTEMPT_TIMES)
_TIMES = ", ".join(ATTEMPT_TIMES)
_TIMES_FROM = ", ".join(f"${number}::int[]" for number in range(_FIRST_TIME, _RESULTS_PARAMETER))
_ENDED_TIMES = ", ".join(f"ended.{name}" for name in ATTEMPT_TIMES)
_WRITTEN_TIMES = ", ".join(f"{name} = done.{name}" for name in ATTEMPT_TIMES)

_FINISH = f"""
WITH keys AS MATERIALIZED (
SELECT key, erased_at FROM doomed_objects WHERE key = ANY($20::text[]) ORDER BY key FOR KEY SHARE),
erased AS MATERIALIZED (
SELECT DISTINCT made.lease FROM unnest($20::text[], $28::uuid[]) AS made(key, lease) JOIN keys USING (key)
WHERE keys.erased_at IS NOT NULL),
ended AS (
SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::float8[], $5::text[], $6::text[], $7::text[],
                     $8::text[], $9::text[], $10::bool[], $11::bool[], $12::timestamptz[], $13::text[],
                     $14::float8[], $15::text[], $31::numeric[], $32::text[], $33::bool[], $34::text[],
                     {_TIMES_FROM}{{results}})
     AS ended(task_id, lease, status, progress, outputs, error, cost,
              attempt_status, attempt_error, counts, order_open, ordered_at, job_id, delay_s, waiting_for,
              cost_usd, warnings, stop_later, move, {_TIMES}{{result}}){{before}}),
done AS (
UPDATE tasks SET status = CASE WHEN {_IS_DROPPED} THEN 'canceled' ELSE ended.status END, lease = NULL,
       finished_at = CASE WHEN {_ENDS} THEN now() END, seq = {AT_END},
       progress = ended.progress, outputs = ended.outputs::jsonb, error = ended.error::jsonb,
       cost = ended.cost::jsonb, warnings = ended.warnings::jsonb,{{kept}}
       {_MOVED}
       order_stop_at = CASE WHEN ended.stop_later AND ended.order_open THEN now() + {STOPPED_AFTER} END,
       failures = tasks.failures + ended.counts::int, losses = 0,
       {", ".join(map(_unless_open, ORDER))},
       {{settled}}
       last_error = CASE WHEN ended.status = 'queued'
                         THEN coalesce(ended.attempt_error::jsonb, tasks.last_error) END,
       waiting_for = CASE WHEN NOT {_ENDS} THEN ended.waiting_for END,
       waiting_since = CASE WHEN NOT {_ENDS} THEN now() END,
       next_try_at = CASE WHEN NOT {_ENDS}
                          THEN now() + CASE WHEN tasks.cancel_requested_at IS NULL THEN ended.delay_s ELSE 0 END
                                       * interval '1 s' END
FROM ended
WHERE tasks.id = ended.task_id AND tasks.lease = ended.lease AND tasks.status = 'running'
  AND ended.lease NOT IN (SELECT lease FROM erased)
RETURNING tasks.id, tasks.status, tasks.seq, tasks.provider, tasks.finished_at, tasks.next_try_at,
          tasks.cancel_requested_at, tasks.order_sent_at, ended.lease, ended.attempt_status, ended.attempt_error,
          ended.delay_s, ended.job_id, ended.ordered_at, ended.move, tasks.owner, tasks.budget_scopes AS scopes,
          {_ENDED_TIMES}, {DAY} AS day, {{money}}),
closed AS (
UPDATE attempts SET status = done.attempt_status, finished_at = now(), error = done.attempt_error::jsonb,
       job_id = done.job_id, submitting_at = done.ordered_at, {_WRITTEN_TIMES}
FROM done WHERE attempts.id = done.lease),
kept AS (
INSERT INTO assets (id, task_id, owner, environment, key, sha256, size, media_type, width, height, duration_s,
                    created_at)
SELECT made.id, made.task_id, made.owner, made.environment, made.key, made.sha256, made.size, made.media_type,
       made.width, made.height, made.duration_s, made.created_at
FROM unnest($16::uuid[], $17::uuid[], $18::text[], $19::text[], $20::text[], $21::text[], $22::bigint[],
            $23::text[], $24::int[], $25::int[], $26::float8[], $27::timestamptz[], $28::uuid[])
     AS made(id, task_id, owner, environment, key, sha256, size, media_type, width, height, duration_s, created_at,
             lease)
JOIN done USING (lease)),
settled AS (
DELETE FROM queue USING done WHERE queue.task_id = done.id AND done.finished_at IS NOT NULL),
given_back AS (
UPDATE queue SET provider = done.provider, lease = NULL, worker = NULL, limited = false, since = now(),
       ordered = done.order_sent_at IS NOT NULL,
       begun = done.attempt_status = 'released' OR done.cancel_requested_at IS NOT NULL,
       due_at = CASE WHEN done.cancel_requested_at IS NULL THEN done.next_try_at ELSE now() END,
       deferred = done.cancel_requested_at IS NULL AND done.delay_s > 0
FROM done WHERE queue.task_id = done.id AND done.finished_at IS NULL),
{woken_by("done")},
{{entered}}
{{counted}}
SELECT lease, seq, CASE WHEN (finished_at IS NULL AND delay_s <= 0) OR provider = ANY($29::text[])
                        THEN pg_notify('{CHANNEL}', provider) END AS told, {TOLD},
       CASE WHEN move::jsonb ->> 'left' = ANY($29::text[])
            THEN pg_notify('{CHANNEL}', move::jsonb ->> 'left') END AS left_told
FROM done
UNION ALL
SELECT lease, NULL, NULL, NULL, NULL FROM erased
UNION ALL
SELECT attempts.id, tasks.seq, NULL, NULL, NULL FROM ended
JOIN attempts ON attempts.id = ended.lease AND attempts.status NOT IN ('running', 'abandoned')
JOIN tasks ON tasks.id = attempts.task_id
WHERE $30::bool
"""

_UNPRICED = {
    "before": "",
    "settled": "",
    "money": "0::numeric AS usd",
    "entered": "",
    "counted": counted(_OF_ENDED.format(more="")),
}

_PRICED = {
    "before": f"""
LEFT JOIN LATERAL (SELECT order_sent_at, order_settled_usd, order_settled_day, {_OF_MODEL}
                   FROM tasks WHERE tasks.id = ended.task_id LIMIT 1) AS before ON true""",
    "settled": f"""
       {_settled("order_settled_usd", "ended.model_price_usd")}, {_settled("order_settled_day", DAY)},""",
    "money": f"""
          tasks.attempt, tasks.model, tasks.environment, tasks.price_usd, tasks.cost,
          ended.model_price_usd, ended.rule_version,
          {_SETTLED_USD} AS settled_usd,
          {_SETTLED_USD} - CASE WHEN {_ENDS} THEN {_PRICE_USD} ELSE 0 END AS usd,
          CASE WHEN {_IS_REFUND} THEN coalesce(ended.order_settled_usd, 0) ELSE 0 END AS refunded_usd,
          ended.order_settled_day AS refunded_day""",
    "entered": f"{entered(OF_ENDED)},",
    "counted": counted(_OF_ENDED.format(more=_REFUNDS)),
}

_NO_RESULTS = {"results": "", "result": "", "kept": ""}

_RESULTS = {"results": f", ${_RESULTS_PARAMETER}::text[]", "result": ", result", "kept": " result = ended.result,"}

FINISH = _FINISH.format(**_UNPRICED, **_NO_RESULTS)
"""Ends attempts with all that follows. With $30 it tells also of those that were ended before.

Keys of outputs are locked, so that nobody erases their bytes meanwhile. An attempt with bytes that are erased
already does not end, and has no number.
"""

FINISH_WITH_RESULTS = _FINISH.format(**_UNPRICED, **_RESULTS)
"""The same for attempts of which some have a result, in the last parameter."""

FINISH_PRICED = _FINISH.format(**_PRICED, **_NO_RESULTS)
"""The same for tasks of which some have a price or a cost: with what that settles."""

FINISH_PRICED_WITH_RESULTS = _FINISH.format(**_PRICED, **_RESULTS)
"""Both together."""

_DONE = ", ".join(f"done.{name}" for name in NAMES)

_OF_CANCELED = """
(SELECT day, owner, scopes, -coalesce(price_usd, 0) AS usd, 0 AS tasks, -1 AS active
 FROM done WHERE finished_at IS NOT NULL)
"""
_CANCELED = "(SELECT * FROM done WHERE finished_at IS NOT NULL) AS canceled"


def _then(column: str, pushed: str) -> str:
    """Nothing is waited for by a task that is canceled; one with an open order waits for a worker to stop that."""
    is_pushed = "status = 'queued' AND cancel_requested_at IS NULL"
    return f"CASE WHEN gone.task_id IS NOT NULL THEN NULL WHEN {is_pushed} THEN {pushed} ELSE {column} END"


CANCEL = f"""
WITH gone AS (
DELETE FROM queue WHERE task_id = $1 AND lease IS NULL AND NOT ordered RETURNING task_id),
pushed AS (
UPDATE queue SET due_at = now(), begun = true, deferred = false
WHERE task_id = $1 AND lease IS NULL AND ordered
RETURNING provider),
done AS (
UPDATE tasks SET
       status = CASE WHEN gone.task_id IS NULL THEN status ELSE 'canceled' END,
       finished_at = CASE WHEN gone.task_id IS NULL THEN finished_at ELSE now() END,
       waiting_for = {_then("waiting_for", "'worker'")},
       waiting_since = {_then("waiting_since", "now()")},
       next_try_at = {_then("next_try_at", "now()")},
       seq = CASE WHEN gone.task_id IS NOT NULL THEN {AT_END} WHEN cancel_requested_at IS NULL THEN {AT_WISH}
             ELSE seq END,
       cancel_requested_at = coalesce(cancel_requested_at, now())
FROM (SELECT $1::uuid AS id) AS wanted LEFT JOIN gone ON gone.task_id = wanted.id
WHERE tasks.id = wanted.id AND status IN ('queued', 'running')
RETURNING {TASK}, budget_scopes AS scopes, {DAY} AS day),
{woken_by("done")},
{entered(priced(_CANCELED, usd="-price_usd"))},
{counted(_OF_CANCELED)}
SELECT {_DONE}, {TOLD},
       (SELECT count(pg_notify({worker_channel("worker")}, 'unwanted ' || $1::text))
        FROM queue WHERE task_id = $1 AND worker IS NOT NULL) AS told,
       (SELECT count(pg_notify('{CHANNEL}', provider)) FROM pushed) AS pushed
FROM done
"""

_SETTLED = ("order_settled_usd", "order_settled_day")

_OF_AGAIN = f"""
(SELECT {TODAY} AS day, owner, scopes, coalesce(price_usd, 0) AS usd, 0 AS tasks, 1 AS active FROM again)
"""

RETRY = f"""
WITH again AS (
UPDATE tasks SET status = 'queued', error = NULL, progress = NULL, finished_at = NULL, deadline_at = NULL,
       order_stop_at = NULL,
       cancel_requested_at = NULL, failures = 0, losses = 0, retried_at = now(), last_error = error,
       seq = {AT_END}, spent_day = {TODAY},
       budget_scopes = CASE WHEN $2::bool AND order_settled_usd IS NOT NULL THEN budget_scopes
                            ELSE $3::text::text[] END,
       next_try_at = CASE WHEN depends_on IS NOT NULL AND NOT {HAS_UNENDED.format(ids="tasks.depends_on")}
                          THEN now() END,
       {", ".join(f"{name} = CASE WHEN $2::bool THEN {name} END" for name in (*ORDER, *_SETTLED))}
WHERE id = $1 AND status = 'failed' AND deleted_at IS NULL AND ($4::bigint IS NULL OR seq = $4)
RETURNING {TASK}, budget_scopes AS scopes),
queued AS (
INSERT INTO queue (task_id, owner, provider, priority, ordered, due_at)
SELECT id, owner, provider, priority, order_sent_at IS NOT NULL,
       CASE WHEN depends_on IS NOT NULL AND next_try_at IS NULL THEN 'infinity' ELSE now() END
FROM again),
{linked("again")},
{entered(priced("again", usd="price_usd", held_usd="NULL::numeric", day=TODAY))},
{counted(_OF_AGAIN)}
SELECT again.*, pg_notify('{CHANNEL}', provider) AS told FROM again
"""
"""What an open order has settled may be refunded: then it goes from the counters into which it went."""

_OF_EXPIRED = "(SELECT day, owner, scopes, -coalesce(price_usd, 0) AS usd, 0 AS tasks, -1 AS active FROM done)"

EXPIRE = f"""
WITH late AS (
SELECT id FROM tasks WHERE finished_at IS NULL AND deadline_at <= now() AND status = 'queued'
      AND (attempt = 0 OR NOT deadline_is_for_start) LIMIT 1000),
gone AS (
DELETE FROM queue USING late WHERE queue.task_id = late.id AND queue.lease IS NULL AND NOT queue.ordered
RETURNING queue.task_id),
pushed AS (
UPDATE queue SET due_at = now(), begun = true, deferred = false
FROM late WHERE queue.task_id = late.id AND queue.lease IS NULL AND queue.ordered AND queue.due_at > now()
RETURNING queue.provider),
done AS (
UPDATE tasks SET status = 'failed', error = $1::jsonb, finished_at = now(), seq = {AT_END}, waiting_for = NULL,
       waiting_since = NULL, next_try_at = NULL
FROM gone WHERE tasks.id = gone.task_id
RETURNING {TASK}, budget_scopes AS scopes, {DAY} AS day),
{woken_by("done")},
{entered(priced("done", usd="-price_usd"))},
{counted(_OF_EXPIRED)}
SELECT {_DONE}, {TOLD}, (SELECT count(pg_notify('{CHANNEL}', provider)) FROM pushed) AS pushed FROM done
"""

TO_STOP = f"""
UPDATE tasks SET order_stop_at = CASE WHEN finished_at > now() - interval '1 day'
                                      THEN now() + {STOPPED_AFTER} + (now() - finished_at) / 2 END
WHERE id IN (
    SELECT id FROM tasks
    WHERE order_stop_at <= now() AND provider = ANY($1::text[]) AND finished_at IS NOT NULL
      AND order_sent_at IS NOT NULL
    ORDER BY order_stop_at LIMIT $2 FOR UPDATE SKIP LOCKED)
RETURNING {TASK}
"""
"""Ended tasks whose orders are still to be stopped. Each comes again later and later, for a day."""

STOPPED = f"""
UPDATE tasks SET order_stop_at = NULL, {", ".join(f"{name} = NULL" for name in (*ORDER, *_SETTLED))}
WHERE id = $1 AND order_reference = $2 AND finished_at IS NOT NULL
"""
