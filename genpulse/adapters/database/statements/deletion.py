"""SQL of deletion. Tasks are locked first, then assets, then keys of objects in their order.

Nobody waits for a task that has another one locked, but for statements that take them in the order of ids.
"""

from genpulse.adapters.database.statements.columns import AT_WISH


def _ours(number: int) -> str:
    return f"(${number}::text IS NULL OR environment = ${number})"


_MARK = """
WITH chosen AS MATERIALIZED ({chosen}),
unsent AS (
DELETE FROM deliveries WHERE task_id IN (SELECT id FROM chosen)),
marked AS (
UPDATE tasks SET deleted_at = now(),
       cancel_requested_at = CASE WHEN finished_at IS NULL THEN coalesce(cancel_requested_at, now())
                                  ELSE cancel_requested_at END,
       seq = CASE WHEN finished_at IS NULL AND cancel_requested_at IS NULL THEN {wish} ELSE seq END,
       order_stop_at = CASE WHEN order_stop_at IS NOT NULL THEN now() END
FROM chosen WHERE tasks.id = chosen.id
RETURNING tasks.id, tasks.environment, tasks.owner, tasks.kind, tasks.provider, tasks.model, tasks.created_at,
          tasks.idempotency_key, tasks.finished_at),
noted AS (
INSERT INTO tombstones (id, environment, owner, kind, provider, model, created_at, deleted_at, deleted_by, reason,
                        key_digest)
SELECT id, environment, owner, kind, provider, model, created_at, now(), {deleted_by}, '{reason}',
       sha256(convert_to(owner || E'\\x1f' || idempotency_key, 'UTF8'))
FROM marked
ON CONFLICT (id) DO NOTHING)
SELECT id, finished_at IS NULL AS is_live FROM marked
"""

DELETABLE = f"""
SELECT id FROM tasks
WHERE id = ANY($1::uuid[]) AND deleted_at IS NULL AND ($2::text IS NULL OR owner = $2) AND {_ours(3)}"""
"""Those of these tasks that are there to be deleted."""


def _deleted(lock: str) -> str:
    return _MARK.format(chosen=f"{DELETABLE} {lock}", deleted_by="$4", wish=AT_WISH, reason="request")


DELETE_FREE_TASKS = _deleted("FOR UPDATE SKIP LOCKED")
"""But for those that somebody holds: who waits for several at once may wait for one that waits for it."""

DELETE_TASK = _deleted("FOR UPDATE")
"""Of one task, whoever holds it."""

_RETAINED = "retention_end(finished_at, retain_s)"
"""As the index `ix_tasks_retained` has it: how long after 1970 a task is to go."""

DELETE_OVERDUE = _MARK.format(
    chosen=f"""
SELECT id FROM tasks
WHERE retain_s IS NOT NULL AND finished_at IS NOT NULL AND deleted_at IS NULL
  AND {_RETAINED} <= now() - to_timestamp(0) AND {_ours(2)}
  AND finished_at <= now() - make_interval(secs => $3)
  AND NOT EXISTS (SELECT FROM deliveries WHERE task_id = tasks.id AND next_try_at IS NOT NULL)
ORDER BY {_RETAINED} LIMIT $1
FOR UPDATE SKIP LOCKED""",
    deleted_by="''",
    wish=AT_WISH,
    reason="retention",
)

DELETED_BEFORE = f"""
SELECT id FROM tombstones WHERE id = ANY($1::uuid[]) AND ($2::text IS NULL OR owner = $2) AND {_ours(3)}
"""

UNENDED = f"""
SELECT id FROM tasks
WHERE cancel_requested_at IS NOT NULL AND finished_at IS NULL AND deleted_at IS NOT NULL AND {_ours(2)}
LIMIT $1
"""

ERASABLE = f"""
SELECT id FROM tasks
WHERE deleted_at <= now() - make_interval(secs => $2) AND finished_at IS NOT NULL
  AND (order_stop_at IS NULL OR deleted_at < now() - interval '45 s') AND {_ours(3)}
ORDER BY deleted_at LIMIT $1
FOR UPDATE SKIP LOCKED
"""

JOURNAL = """
UPDATE tombstones
SET erased_at = now(), status = tasks.status, finished_at = tasks.finished_at, price_usd = tasks.price_usd,
    cost_usd = (tasks.cost ->> 'amount_usd')::numeric,
    spent_day = coalesce(tasks.spent_day, (tasks.created_at AT TIME ZONE 'utc')::date),
    attempts = (SELECT count(*) FROM attempts WHERE task_id = tasks.id),
    assets = (SELECT count(*) FROM assets WHERE task_id = tasks.id),
    bytes = (SELECT coalesce(sum(size), 0) FROM assets WHERE task_id = tasks.id)
FROM tasks WHERE tombstones.id = tasks.id AND tasks.id = ANY($1::uuid[])
"""

ASSETS_OF_TASKS = "SELECT id FROM assets WHERE task_id = ANY($1::uuid[]) ORDER BY id FOR UPDATE"

_NEEDED = """EXISTS (SELECT FROM asset_uses JOIN tasks AS using_task ON using_task.id = asset_uses.task_id
             WHERE asset_uses.asset_id = assets.id AND using_task.finished_at IS NULL)"""

ERASE_ASSETS = f"DELETE FROM assets WHERE id = ANY($1::uuid[]) AND NOT {_NEEDED} RETURNING key, size, environment"

MARK_ASSETS = "UPDATE assets SET deleted_at = now() WHERE id = ANY($1::uuid[]) AND deleted_at IS NULL"

ERASABLE_ASSETS = f"""
SELECT id FROM assets WHERE deleted_at IS NOT NULL AND NOT {_NEEDED} AND {_ours(2)}
ORDER BY deleted_at LIMIT $1
FOR UPDATE SKIP LOCKED
"""

EXPECTED_FOR = """
SELECT key, size, environment FROM doomed_objects WHERE expected_for = ANY($1::uuid[]) AND erased_at IS NULL
"""

KNOW_OBJECTS = """
INSERT INTO doomed_objects (key, size, last_created_at, environment)
SELECT key, max(size), now(), max(environment)
FROM unnest($1::text[], $2::bigint[], $3::text[]) AS gone(key, size, environment)
GROUP BY key ORDER BY key
ON CONFLICT (key) DO UPDATE SET environment = excluded.environment
"""

LOCK_OBJECTS = "SELECT FROM doomed_objects WHERE key = ANY($1::text[]) ORDER BY key FOR UPDATE"
"""Whoever commits an asset has its key locked (`FOR KEY SHARE`): one of the two sees the other."""

ERASE_OBJECTS = """
UPDATE doomed_objects SET erased_at = now(), expected_for = NULL
WHERE key = ANY($1::text[]) AND erased_at IS NULL
  AND NOT EXISTS (SELECT FROM assets WHERE assets.key = doomed_objects.key)
"""

ERASE_THUMBNAILS = """
WITH gone AS (
DELETE FROM thumbnails WHERE source = ANY($1::text[])
  AND NOT EXISTS (SELECT FROM assets WHERE assets.key = thumbnails.source)
RETURNING key, size, environment)
INSERT INTO doomed_objects (key, size, last_created_at, environment, erased_at)
SELECT key, size, now(), environment, now() FROM gone ORDER BY key
ON CONFLICT (key) DO UPDATE
SET last_created_at = excluded.last_created_at, environment = excluded.environment, erased_at = excluded.erased_at
"""
"""Those of contents that no asset has any more. Keys of thumbnails come after those of contents in every order."""

ERASED_OBJECTS = f"""
SELECT key, size FROM doomed_objects
WHERE erased_at IS NOT NULL AND removed_at IS NULL AND {_ours(2)}
  AND NOT EXISTS (SELECT FROM assets WHERE assets.key = doomed_objects.key)
ORDER BY erased_at LIMIT $1
"""

REMOVED_OBJECTS = (
    "UPDATE doomed_objects SET removed_at = now() WHERE key = ANY($1::text[]) AND erased_at IS NOT NULL"
)

_INDEX = """(
               SELECT number
               FROM generate_series(0, jsonb_array_length(outputs || coalesce(warnings, '[]'::jsonb))) AS number
               WHERE NOT EXISTS (SELECT FROM jsonb_array_elements(coalesce(warnings, '[]'::jsonb)) AS missing
                                 WHERE missing @> jsonb_build_object('code', 'output_missing', 'index', number))
               ORDER BY number OFFSET place - 1 LIMIT 1)"""
"""The place of an output among all that were to be made: before it may be some that are missing already."""

DELETE_ASSET = f"""
WITH gone AS (
UPDATE assets SET deleted_at = now()
WHERE id = $1 AND deleted_at IS NULL AND ($2::text IS NULL OR owner = $2) AND {_ours(4)} AND NOT {_NEEDED}
RETURNING id, task_id),
told AS (
UPDATE tasks SET warnings = coalesce(warnings, '[]'::jsonb) || (
           SELECT coalesce(jsonb_agg(jsonb_build_object('code', 'output_missing', 'message', $3::text,
                                                        'index', {_INDEX})), '[]'::jsonb)
           FROM jsonb_array_elements(outputs) WITH ORDINALITY AS one(output, place)
           WHERE output ->> 'id' = $1::text),
       outputs = (SELECT coalesce(jsonb_agg(output ORDER BY place), '[]'::jsonb)
                  FROM jsonb_array_elements(outputs) WITH ORDINALITY AS one(output, place)
                  WHERE output ->> 'id' <> $1::text)
FROM gone WHERE tasks.id = gone.task_id)
SELECT count(*) AS gone FROM gone
"""

ASSET_STANDING = f"""
SELECT owner, deleted_at IS NOT NULL AS is_deleted,
       (SELECT asset_uses.task_id FROM asset_uses JOIN tasks ON tasks.id = asset_uses.task_id
        WHERE asset_uses.asset_id = assets.id AND tasks.finished_at IS NULL
        ORDER BY asset_uses.task_id LIMIT 1) AS needed_by
FROM assets WHERE id = $1 AND ($2::text IS NULL OR owner = $2) AND {_ours(3)}
"""

FORGET = f"""
DELETE FROM tombstones WHERE id IN (
    SELECT id FROM tombstones WHERE deleted_at < now() - $1::interval AND {_ours(3)}
      AND NOT EXISTS (SELECT FROM tasks WHERE tasks.id = tombstones.id)
    ORDER BY deleted_at LIMIT $2 FOR UPDATE SKIP LOCKED)
"""
