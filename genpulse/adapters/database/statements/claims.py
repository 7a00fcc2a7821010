"""Leases of workers, and what they claim: a task and its attempt begin in one statement.

A claim locks the entry of a task first and waits for no lock. A plain one takes nothing where several owners wait,
and says so: then the same in turns has to be asked for.
"""

from dataclasses import dataclass

from genpulse.adapters.database.statements.columns import AT_BEGIN, TASK
from genpulse.adapters.database.statements.turns import SEVERAL_OWNERS, in_turn

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


@dataclass(frozen=True, slots=True)
class Claiming:
    """Two statements that take the same: what has waited longest, or in turns of the owners."""

    plain: str
    in_turn: str


_ALIVE = "EXISTS (SELECT FROM workers WHERE id = $1 AND lease_until > now())"

_WAITING = f"""
SELECT task_id FROM queue
WHERE provider = $4 AND lease IS NULL AND due_at <= now() AND {_ALIVE} AND NOT (SELECT shared FROM look){{which}}
ORDER BY begun DESC, priority DESC, due_at, task_id LIMIT {{limit}}
FOR UPDATE SKIP LOCKED
"""

# Each provider that has something gets the same part of the room.
_WANTED_ANY = f"""
SELECT provider, ceil(cardinality($3::uuid[]) / (count(*) OVER ())::float8)::int AS room
FROM unnest($4::text[]) AS wanted(provider)
WHERE {_ALIVE} AND EXISTS (SELECT FROM queue
                           WHERE queue.provider = wanted.provider AND lease IS NULL AND due_at <= now())
"""

_WAITING_ANY = f"""
SELECT waiting.task_id
FROM ({_WANTED_ANY}) AS wanted,
     LATERAL (SELECT task_id FROM queue
              WHERE queue.provider = wanted.provider AND lease IS NULL AND due_at <= now()
                AND NOT (SELECT shared FROM look)
              ORDER BY begun DESC, priority DESC, due_at, task_id LIMIT wanted.room
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
WITH RECURSIVE look AS MATERIALIZED (SELECT {shared} AS shared),
{chosen},
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
SELECT begun.*, now() AS began_at, look.shared FROM look LEFT JOIN begun ON true
"""

_ABANDONED = """
abandoned AS (
UPDATE attempts SET status = 'abandoned', finished_at = now(), submitting_at = begun.order_sent_at,
       job_id = begun.order_job_id
FROM begun
WHERE attempts.task_id = begun.id AND attempts.status = 'running' AND attempts.id <> begun.lease),"""


def _begin(
    choice: str, *, shared: str = "false", limited: str = "false", losses: int = 0, status: str = "queued"
) -> str:
    return _BEGIN.format(
        chosen=choice,
        shared=shared,
        limited=limited,
        at_begin=AT_BEGIN,
        losses=losses,
        status=status,
        task=TASK,
        abandoned=_ABANDONED if losses else "",
    )


_ALL_IDS = "cardinality($3::uuid[])"

_FREE_SEATS = (
    f"greatest(least({_ALL_IDS}, $5::int - (SELECT count(*)::int FROM queue WHERE provider = $4 AND limited)), 0)"
)


def _plain(waiting: str) -> str:
    return f"chosen AS MATERIALIZED ({waiting})"


def _of_one(limit: str, which: str = "", *, limited: str = "false") -> Claiming:
    shared = SEVERAL_OWNERS.format(providers="ARRAY[$4]::text[]")
    rooms = f"SELECT $4::text AS provider, {limit} AS room WHERE {_ALIVE}"
    return Claiming(
        plain=_begin(_plain(_WAITING.format(which=which, limit=limit)), shared=shared, limited=limited),
        in_turn=_begin(in_turn(rooms, which=which), shared=shared, limited=limited),
    )


CLAIM = _of_one(_ALL_IDS)

_SHARED_ANY = SEVERAL_OWNERS.format(providers="$4::text[]")

CLAIM_ANY = Claiming(
    plain=_begin(_plain(_WAITING_ANY), shared=_SHARED_ANY),
    in_turn=_begin(in_turn(_WANTED_ANY), shared=_SHARED_ANY),
)

CLAIM_NEW = _of_one(_ALL_IDS, " AND NOT begun", limited="true")
"""They take seats although there are any number: how many run is known once there are fewer."""

CLAIM_SEATS = _of_one(_FREE_SEATS, " AND NOT begun", limited="true")

CLAIM_RESUMED = _begin(_plain(_GIVEN_BACK), limited="true")

TAKE_OVER = _begin(_plain(_LOST), limited="queue.limited", losses=1, status="running")

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
