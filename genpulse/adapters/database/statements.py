"""The SQL of the task store. Each takes columns of many rows as arrays, and each is one step.

Whoever changes a task and its queue entry locks the task first, but for two who begin with an entry: a claim,
which waits for no lock, and the end of a task that waits, whose entry nobody holds. So no two wait for each other.
"""

from collections.abc import Sequence
from uuid import UUID

from genpulse.adapters.database.counting import DAY, TODAY, counted
from genpulse.domain.event import SPAN
from genpulse.domain.task import Priority, TaskQuery, TaskStatus

CHANNEL = "genpulse_queue"
"""Where PostgreSQL tells of each provider that has something to claim."""

_WORKER = "genpulse_worker_"


def worker_channel(column: str) -> str:
    """SQL for the channel on which the worker whose id is in this column hears of its tasks."""
    return f"'{_WORKER}' || replace({column}::text, '-', '')"


def channel_of(worker: UUID) -> str:
    """The same for a worker that is known here."""
    return f"{_WORKER}{worker.hex}"


_ORDER = ("order_reference", "order_account", "order_sent_at", "order_job_id")
NAMES = (
    *("id", "environment", "owner", "kind", "provider", "model", "status", "priority", "input", "metadata"),
    *("webhook_url", "deadline_at", "price_usd", "progress", "outputs", "error", "cost", "attempt", "failures"),
    *("losses", "cancel_requested_at", "retried_at", "seq", "created_at", "started_at", "finished_at", *_ORDER),
    *("waiting_for", "waiting_since", "last_error", "next_try_at"),
)

TASK = ", ".join(f"tasks.{name}" for name in NAMES)
"""What `rows.task_of` reads, by name: a column that a newer version adds changes no result."""

_AT_BEGIN = f"(tasks.seq / {SPAN} + 1) * {SPAN}"
_AT_END = f"greatest(tasks.seq + 1, {_AT_BEGIN} - 1)"
_AT_WISH = f"greatest(tasks.seq + 1, tasks.seq / {SPAN} * {SPAN} + {SPAN // 2})"

# A task of the same key is touched, not changed: so it is in the answer even when it was committed a moment ago.
_SUBMIT = f"""
WITH written AS (
INSERT INTO tasks (id, environment, owner, kind, provider, model, status, priority, input, metadata,
                   webhook_url, deadline_at, idempotency_key, fingerprint, created_at, price_usd)
SELECT id, environment, owner, kind, provider, model, 'queued', priority, input::jsonb, metadata::jsonb,
       webhook_url, now() + deadline_s * interval '1 s', idempotency_key, fingerprint, now(), price_usd
FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::smallint[],
            $8::text[], $9::text[], $10::text[], $11::float8[], $12::text[], $13::text[], $14::numeric[])
     AS new(id, environment, owner, kind, provider, model, priority, input, metadata,
            webhook_url, deadline_s, idempotency_key, fingerprint, price_usd)
ON CONFLICT (owner, idempotency_key) WHERE idempotency_key IS NOT NULL
DO UPDATE SET idempotency_key = excluded.idempotency_key
RETURNING tasks.xmax <> 0 AS known, tasks.fingerprint, tasks),
queued AS (
INSERT INTO queue (task_id, provider, priority)
SELECT (tasks).id, (tasks).provider, (tasks).priority FROM written WHERE NOT known
){{counted}}
SELECT known, fingerprint, (tasks).id AS id, (tasks).created_at AS created_at, (tasks).deadline_at AS deadline_at,
       CASE WHEN NOT known THEN pg_notify('{CHANNEL}', (tasks).provider) END AS told,
       CASE WHEN known THEN (tasks).idempotency_key END AS known_idempotency_key,
       {", ".join(f"CASE WHEN known THEN (tasks).{name} END AS known_{name}" for name in NAMES)}
FROM written
"""

_OF_NEW = f"""
(SELECT {TODAY} AS day, (tasks).owner AS owner, coalesce((tasks).price_usd, 0) AS usd, 1 AS tasks, 1 AS active
 FROM written WHERE NOT known)
"""

SUBMIT = _SUBMIT.format(counted="")
"""The rows and their queue entries. A row that was there before under the same key is `known`, and told whole."""

SUBMIT_COUNTED = _SUBMIT.format(counted=f",{counted(_OF_NEW)}")
"""The same for tasks of which some have an owner or a price."""

BY_KEY = f"SELECT {TASK}, tasks.fingerprint FROM tasks WHERE owner = $1 AND idempotency_key = $2"

GET = f"SELECT {TASK} FROM tasks WHERE id = ANY($1::uuid[])"

_STATUS = {
    TaskStatus.QUEUED: "status = 'queued' AND finished_at IS NULL",
    TaskStatus.RUNNING: "status = 'running' AND finished_at IS NULL",
    TaskStatus.SUCCEEDED: "status = 'succeeded'",
    TaskStatus.FAILED: "status = 'failed' AND error IS NOT NULL",
    TaskStatus.CANCELED: "status = 'canceled' AND cancel_requested_at IS NOT NULL",
}


def find(query: TaskQuery) -> tuple[str, Sequence[object]]:
    """A statement that asks for what is wanted and no more, so that an index fits, and its values."""
    wanted = (
        ("id < ${}", query.before),
        ("kind = ${}", query.kind),
        ("provider = ${}", query.provider),
        # Tasks of nobody are in no index by owner.
        ("owner = ${} AND owner <> ''" if query.owner else "owner = ${}", query.owner),
        ("error ->> 'code' = ${} AND error IS NOT NULL AND status = 'failed'", query.code and query.code.value),
    )
    given = [(text, value) for text, value in wanted if value is not None]
    conditions = [text.format(number) for number, (text, _) in enumerate(given, 1)]
    if query.status is not None:
        conditions.append(_STATUS[query.status])
    where = f"WHERE {' AND '.join(conditions)} " if conditions else ""
    values = [value for _, value in given]
    return f"SELECT {TASK} FROM tasks {where}ORDER BY id DESC LIMIT ${len(values) + 1}", [*values, query.limit]


ATTEMPTS = """
SELECT attempts.id, attempts.task_id, attempts.number, attempts.provider, attempts.model, attempts.worker,
       attempts.client_reference, attempts.started_at, attempts.status, attempts.finished_at, attempts.error,
       CASE attempts.status WHEN 'running' THEN tasks.order_sent_at ELSE attempts.submitting_at END
       AS submitting_at,
       CASE attempts.status WHEN 'running' THEN tasks.order_job_id ELSE attempts.job_id END AS job_id
FROM attempts JOIN tasks ON tasks.id = attempts.task_id
WHERE attempts.task_id = $1 ORDER BY number
"""

RENEW = """
WITH beat AS (
UPDATE renewals SET since = CASE WHEN now() - last_at > $3::interval / 2 THEN now() ELSE since END,
       last_at = now()),
alive AS (
INSERT INTO workers (id, name, lease, lease_until, clock_ahead_s)
VALUES ($1, $2, $3, now() + $3, extract(epoch FROM $4::timestamptz - clock_timestamp()))
ON CONFLICT (id) DO UPDATE SET lease_until = excluded.lease_until, clock_ahead_s = excluded.clock_ahead_s)
SELECT queue.task_id, queue.lease, unwanted.id IS NOT NULL AS unwanted
FROM queue
LEFT JOIN (SELECT id FROM tasks WHERE cancel_requested_at IS NOT NULL AND finished_at IS NULL) AS unwanted
     ON unwanted.id = queue.task_id
WHERE queue.worker = $1
"""

LEAVE = "UPDATE workers SET lease_until = '-infinity' WHERE id = $1"

_ALIVE = "EXISTS (SELECT FROM workers WHERE id = $1 AND lease_until > now())"

_WAITING = f"""
SELECT task_id FROM queue
WHERE provider = $4 AND lease IS NULL AND due_at <= now() AND {_ALIVE}{{which}}
ORDER BY begun DESC, priority DESC, due_at, task_id LIMIT {{limit}}
FOR UPDATE SKIP LOCKED
"""

# Each provider that has something gets the same part of the room.
_WAITING_ANY = f"""
SELECT waiting.task_id
FROM (SELECT provider, count(*) OVER () AS ready FROM unnest($4::text[]) AS wanted(provider)
      WHERE EXISTS (SELECT FROM queue
                    WHERE queue.provider = wanted.provider AND lease IS NULL AND due_at <= now())) AS wanted,
     LATERAL (SELECT task_id FROM queue
              WHERE queue.provider = wanted.provider AND lease IS NULL AND due_at <= now() AND {_ALIVE}
              ORDER BY begun DESC, priority DESC, due_at, task_id
              LIMIT ceil(cardinality($3::uuid[]) / wanted.ready::float8)
              FOR UPDATE SKIP LOCKED) AS waiting
"""

_GIVEN_BACK = f"""
SELECT task_id FROM queue
WHERE provider = ANY($4::text[]) AND lease IS NULL AND begun AND due_at <= now() AND {_ALIVE}
ORDER BY due_at, task_id LIMIT cardinality($3::uuid[])
FOR UPDATE SKIP LOCKED
"""

# Whose lease ran out is looked at again under its lock: it may have been renewed meanwhile.
_LOST = f"""
WITH gone AS MATERIALIZED (
SELECT id FROM workers
WHERE id <> $1 AND lease_until < now()
  AND (lease_until = '-infinity' OR (SELECT since FROM renewals) + lease < now())
FOR UPDATE SKIP LOCKED)
SELECT queue.task_id FROM queue JOIN tasks ON tasks.id = queue.task_id
WHERE queue.worker IN (SELECT id FROM gone) AND queue.provider = ANY($4::text[]) AND {_ALIVE}
LIMIT cardinality($3::uuid[])
FOR UPDATE OF queue, tasks SKIP LOCKED
"""

_BEGIN = """
WITH chosen AS MATERIALIZED ({chosen}),
given AS (
SELECT chosen.task_id, ids.id AS lease
FROM (SELECT task_id, row_number() OVER () AS place FROM chosen) AS chosen
JOIN unnest($3::uuid[]) WITH ORDINALITY AS ids(id, place) USING (place)),
held AS (
UPDATE queue SET lease = given.lease, worker = $1, deferred = false, limited = {limited}
FROM given WHERE queue.task_id = given.task_id
RETURNING queue.task_id, queue.lease),
begun AS (
UPDATE tasks SET status = 'running', lease = held.lease, attempt = tasks.attempt + 1, progress = NULL,
       started_at = coalesce(tasks.started_at, now()), waiting_for = NULL, waiting_since = NULL,
       next_try_at = NULL, seq = {at_begin}, losses = tasks.losses + {losses}
FROM held
WHERE tasks.id = held.task_id AND tasks.status = '{status}'
RETURNING {task}, tasks.lease),{abandoned}
added AS (
INSERT INTO attempts (id, task_id, number, provider, model, worker, client_reference, status, started_at)
SELECT lease, id, attempt, provider, model, $2, 'gp-' || replace(lease::text, '-', ''), 'running', now()
FROM begun)
SELECT begun.*, now() AS began_at FROM begun
"""

_ABANDONED = """
abandoned AS (
UPDATE attempts SET status = 'abandoned', finished_at = now(), submitting_at = begun.order_sent_at,
       job_id = begun.order_job_id
FROM begun
WHERE attempts.task_id = begun.id AND attempts.status = 'running' AND attempts.id <> begun.lease),"""


def _begin(chosen: str, *, limited: str = "false", losses: int = 0, status: str = "queued") -> str:
    return _BEGIN.format(
        chosen=chosen,
        limited=limited,
        at_begin=_AT_BEGIN,
        losses=losses,
        status=status,
        task=TASK,
        abandoned=_ABANDONED if losses else "",
    )


_ALL_IDS = "cardinality($3::uuid[])"
_FREE_SEATS = (
    f"greatest(least({_ALL_IDS}, $5::int - (SELECT count(*)::int FROM queue WHERE provider = $4 AND limited)), 0)"
)

CLAIM = _begin(_WAITING.format(which="", limit=_ALL_IDS))
CLAIM_ANY = _begin(_WAITING_ANY)
CLAIM_NEW = _begin(_WAITING.format(which=" AND NOT begun", limit=_ALL_IDS))
CLAIM_SEATS = _begin(_WAITING.format(which=" AND NOT begun", limit=_FREE_SEATS), limited="true")
CLAIM_RESUMED = _begin(_GIVEN_BACK, limited="queue.provider = ANY($5::text[])")
TAKE_OVER = _begin(_LOST, limited="queue.limited", losses=1, status="running")

ONE_AT_A_TIME = "SELECT pg_advisory_xact_lock(1735290732, hashtext($1))"
"""Whoever counts seats of a provider waits for others who do, in the same transaction and before it counts."""

BEGUN = f"""
WITH wanted AS (
SELECT * FROM unnest($1::uuid[], $2::uuid[]) AS wanted(task_id, lease)),
dropped AS (
DELETE FROM queue USING wanted
WHERE queue.task_id = wanted.task_id AND queue.lease = wanted.lease
  AND NOT EXISTS (SELECT FROM tasks WHERE tasks.id = wanted.task_id AND tasks.lease = wanted.lease))
SELECT {TASK}, tasks.lease, attempts.started_at AS began_at
FROM wanted
JOIN tasks ON tasks.id = wanted.task_id AND tasks.lease = wanted.lease AND tasks.status = 'running'
JOIN attempts ON attempts.id = wanted.lease
"""
"""Attempts that began under these leases. An entry whose task knows nothing of it is removed."""

JOURNAL_ORDER = """
UPDATE tasks SET order_reference = $3, order_account = provider, order_sent_at = now(), order_job_id = NULL,
       losses = 0
WHERE id = $1 AND lease = $2 AND status = 'running'
RETURNING order_reference, order_account, order_sent_at, order_job_id
"""

JOURNAL_JOB = """
UPDATE tasks SET order_job_id = $3, losses = CASE WHEN lease = $2 THEN 0 ELSE losses END
WHERE id = $1 AND order_sent_at IS NOT NULL
  AND (lease = $2 OR (order_reference = $4 AND order_job_id IS NULL))
RETURNING lease IS NOT DISTINCT FROM $2 AS is_held
"""
"""Whoever has lost its lease still tells the name of its own order: nobody else will ever hear it."""

SAVE_PROGRESS = """
UPDATE tasks SET progress = saved.progress, seq = greatest(tasks.seq, saved.seq)
FROM unnest($1::uuid[], $2::uuid[], $3::float8[], $4::bigint[]) AS saved(task_id, lease, progress, seq)
WHERE tasks.id = saved.task_id AND tasks.lease = saved.lease AND tasks.status = 'running'
"""

SAVE_WAITING = """
UPDATE tasks SET waiting_for = $3,
       waiting_since = CASE WHEN $3::text IS NULL THEN NULL
                            WHEN waiting_for = $3 THEN waiting_since ELSE now() END,
       last_error = coalesce($4::jsonb, last_error), seq = greatest(seq + 1, $5)
WHERE id = $1 AND lease = $2 AND status = 'running'
"""

_IS_DROPPED = (
    "ended.status = 'queued' AND tasks.cancel_requested_at IS NOT NULL"
    " AND NOT (ended.order_open AND tasks.order_sent_at IS NOT NULL)"
)
_ENDS = f"(ended.status <> 'queued' OR ({_IS_DROPPED}))"


def _unless_open(column: str) -> str:
    return f"{column} = CASE WHEN ended.order_open THEN tasks.{column} END"


# A task that runs counts with its price. Afterwards it may count once more for what a failed attempt was charged.
_BECOMES_USD = """
CASE WHEN ended.cost_usd IS NOT NULL THEN ended.cost_usd WHEN tasks.status = 'failed' THEN 0
     ELSE coalesce(tasks.price_usd, 0) END
+ CASE WHEN ended.attempt_status = 'failed' AND ended.attempt_error::jsonb ->> 'charged' <> 'no'
       THEN coalesce(tasks.price_usd, 0) ELSE 0 END
"""
_OF_ENDED = """
(SELECT day, owner, usd, 0 AS tasks, CASE WHEN finished_at IS NULL THEN 0 ELSE -1 END AS active FROM done)
"""

FINISH = f"""
WITH ended AS (
SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::float8[], $5::text[], $6::text[], $7::text[],
                     $8::text[], $9::text[], $10::bool[], $11::bool[], $12::timestamptz[], $13::text[],
                     $14::float8[], $15::text[], $31::numeric[])
     AS ended(task_id, lease, status, progress, outputs, error, cost,
              attempt_status, attempt_error, counts, order_open, ordered_at, job_id, delay_s, waiting_for,
              cost_usd)),
done AS (
UPDATE tasks SET status = CASE WHEN {_IS_DROPPED} THEN 'canceled' ELSE ended.status END, lease = NULL,
       finished_at = CASE WHEN {_ENDS} THEN now() END, seq = {_AT_END},
       progress = ended.progress, outputs = ended.outputs::jsonb, error = ended.error::jsonb,
       cost = ended.cost::jsonb,
       failures = tasks.failures + ended.counts::int, losses = 0,
       {", ".join(map(_unless_open, _ORDER))},
       last_error = CASE WHEN ended.status = 'queued'
                         THEN coalesce(ended.attempt_error::jsonb, tasks.last_error) END,
       waiting_for = CASE WHEN NOT {_ENDS} THEN ended.waiting_for END,
       waiting_since = CASE WHEN NOT {_ENDS} THEN now() END,
       next_try_at = CASE WHEN NOT {_ENDS}
                          THEN now() + CASE WHEN tasks.cancel_requested_at IS NULL THEN ended.delay_s ELSE 0 END
                                       * interval '1 s' END
FROM ended
WHERE tasks.id = ended.task_id AND tasks.lease = ended.lease AND tasks.status = 'running'
RETURNING tasks.id, tasks.seq, tasks.provider, tasks.finished_at, tasks.next_try_at, tasks.cancel_requested_at,
          tasks.order_sent_at, ended.lease, ended.attempt_status, ended.attempt_error, ended.delay_s, ended.job_id,
          ended.ordered_at, tasks.owner, {DAY} AS day,
          {_BECOMES_USD} - coalesce(tasks.price_usd, 0) AS usd),
closed AS (
UPDATE attempts SET status = done.attempt_status, finished_at = now(), error = done.attempt_error::jsonb,
       job_id = done.job_id, submitting_at = done.ordered_at
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
UPDATE queue SET lease = NULL, worker = NULL, limited = false, ordered = done.order_sent_at IS NOT NULL,
       begun = done.attempt_status = 'released' OR done.cancel_requested_at IS NOT NULL, since = now(),
       due_at = CASE WHEN done.cancel_requested_at IS NULL THEN done.next_try_at ELSE now() END,
       deferred = done.cancel_requested_at IS NULL AND done.delay_s > 0
FROM done WHERE queue.task_id = done.id AND done.finished_at IS NULL),
{counted(_OF_ENDED)}
SELECT lease, seq, CASE WHEN (finished_at IS NULL AND delay_s <= 0) OR provider = ANY($29::text[])
                        THEN pg_notify('{CHANNEL}', provider) END AS told
FROM done
UNION ALL
SELECT attempts.id, tasks.seq, NULL FROM ended
JOIN attempts ON attempts.id = ended.lease AND attempts.status NOT IN ('running', 'abandoned')
JOIN tasks ON tasks.id = attempts.task_id
WHERE $30::bool
"""
"""Ends attempts with all that follows. With $30 it tells also of those that were ended before."""

_DONE = ", ".join(f"done.{name}" for name in NAMES)

_OF_CANCELED = """
(SELECT day, owner, CASE WHEN attempt = 0 THEN -coalesce(price_usd, 0) ELSE 0 END AS usd, 0 AS tasks, -1 AS active
 FROM done WHERE finished_at IS NOT NULL)
"""


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
       seq = CASE WHEN gone.task_id IS NOT NULL THEN {_AT_END} WHEN cancel_requested_at IS NULL THEN {_AT_WISH}
             ELSE seq END,
       cancel_requested_at = coalesce(cancel_requested_at, now())
FROM (SELECT $1::uuid AS id) AS wanted LEFT JOIN gone ON gone.task_id = wanted.id
WHERE tasks.id = wanted.id AND status IN ('queued', 'running')
RETURNING {TASK}, {DAY} AS day),
{counted(_OF_CANCELED)}
SELECT {_DONE},
       (SELECT count(pg_notify({worker_channel("worker")}, 'unwanted ' || $1::text))
        FROM queue WHERE task_id = $1 AND worker IS NOT NULL) AS told,
       (SELECT count(pg_notify('{CHANNEL}', provider)) FROM pushed) AS pushed
FROM done
"""

_OF_AGAIN = f"""
(SELECT {TODAY} AS day, owner, coalesce(price_usd, 0) AS usd, 0 AS tasks, 1 AS active FROM again)
"""

RETRY = f"""
WITH again AS (
UPDATE tasks SET status = 'queued', error = NULL, progress = NULL, finished_at = NULL, deadline_at = NULL,
       cancel_requested_at = NULL, failures = 0, losses = 0, retried_at = now(), last_error = error,
       seq = {_AT_END}, spent_day = {TODAY},
       {", ".join(f"{name} = CASE WHEN $2::bool THEN {name} END" for name in _ORDER)}
WHERE id = $1 AND status = 'failed'
RETURNING {TASK}),
queued AS (
INSERT INTO queue (task_id, provider, priority, ordered)
SELECT id, provider, priority, order_sent_at IS NOT NULL FROM again),
{counted(_OF_AGAIN)}
SELECT again.*, pg_notify('{CHANNEL}', provider) AS told FROM again
"""

_OF_EXPIRED = "(SELECT day, owner, -coalesce(price_usd, 0) AS usd, 0 AS tasks, -1 AS active FROM done)"

EXPIRE = f"""
WITH late AS (
SELECT id FROM tasks WHERE finished_at IS NULL AND deadline_at <= now() AND status = 'queued' LIMIT 1000),
gone AS (
DELETE FROM queue USING late WHERE queue.task_id = late.id AND queue.lease IS NULL AND NOT queue.ordered
RETURNING queue.task_id),
pushed AS (
UPDATE queue SET due_at = now(), begun = true, deferred = false
FROM late WHERE queue.task_id = late.id AND queue.lease IS NULL AND queue.ordered AND queue.due_at > now()
RETURNING queue.provider),
done AS (
UPDATE tasks SET status = 'failed', error = $1::jsonb, finished_at = now(), seq = {_AT_END}, waiting_for = NULL,
       waiting_since = NULL, next_try_at = NULL
FROM gone WHERE tasks.id = gone.task_id
RETURNING {TASK}, {DAY} AS day),
{counted(_OF_EXPIRED)}
SELECT {_DONE}, (SELECT count(pg_notify('{CHANNEL}', provider)) FROM pushed) AS pushed FROM done
"""

ADD_ASSETS = """
INSERT INTO assets (id, task_id, owner, environment, key, sha256, size, media_type, width, height, duration_s,
                    created_at)
SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::text[], $6::text[], $7::bigint[],
                     $8::text[], $9::int[], $10::int[], $11::float8[], $12::timestamptz[])
"""

ASSET = "SELECT * FROM assets WHERE id = $1"

ANNOUNCE = f"""
SELECT pg_notify({worker_channel("worker")}, 'news ' || task_id::text) FROM queue
WHERE task_id = $1 AND worker IS NOT NULL
"""

LIMITED_DUE = """
SELECT wanted.provider FROM unnest($1::text[], $2::int[]) AS wanted(provider, seats)
WHERE EXISTS (SELECT FROM queue
              WHERE queue.provider = wanted.provider AND lease IS NULL AND NOT begun AND due_at <= now())
  AND (wanted.seats IS NULL
       OR (SELECT count(*) FROM queue WHERE queue.provider = wanted.provider AND limited) < wanted.seats)
"""

NEXT_DUE = """
SELECT extract(epoch FROM due_at - now())::float8 FROM queue
WHERE deferred AND provider = ANY($1::text[])
  AND due_at > now() - interval '0.5 s' AND due_at < now() + $2::float8 * interval '1 s'
ORDER BY due_at LIMIT 1
"""
"""What became due a moment ago may have come too late for those who looked before they asked."""

_STEP = Priority.NORMAL - Priority.LOW

PROMOTE = f"""
UPDATE queue SET priority = priority + {_STEP}, since = now()
WHERE task_id IN (SELECT task_id FROM queue
                  WHERE lease IS NULL AND priority < {int(Priority.HIGH)}
                    AND due_at < now() - $1::interval AND since < now() - $1::interval
                  LIMIT 1000 FOR UPDATE SKIP LOCKED)
"""

DEPTH = "SELECT count(*) FROM queue WHERE lease IS NULL"

WORKERS = "SELECT count(*) FROM workers WHERE lease_until > now()"

TIDY = """
DELETE FROM workers
WHERE lease_until < now() - interval '1 hour' AND NOT EXISTS (SELECT FROM queue WHERE worker = workers.id)
"""

COUNTS = """
SELECT 'queued' AS status, count(*) FROM queue WHERE lease IS NULL
UNION ALL SELECT 'running', count(*) FROM queue WHERE worker IS NOT NULL
"""
"""By the indexes of the narrow table: rows of tasks are wide, and a million may wait."""
