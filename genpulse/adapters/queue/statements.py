"""What we ask of the queue's table beyond what PgQueuer asks itself."""

from genpulse.adapters.queue.schema import BEGUN, SETTINGS
from genpulse.domain.task import Priority

_TABLE = SETTINGS.qualified.queue_table
_LOG = SETTINGS.qualified.queue_table_log
_STEP = Priority.NORMAL - Priority.LOW

ADD = f"""
INSERT INTO {_TABLE} (priority, entrypoint, payload, status)
SELECT priority, provider, uuid_send(id), 'queued' FROM written ORDER BY id
"""  # noqa: S608

SETTLE = f"DELETE FROM {_TABLE} WHERE id = ANY($1::bigint[])"  # noqa: S608

SETTLE_DONE = f"DELETE FROM {_TABLE} AS entry USING done WHERE entry.id = done.ticket"  # noqa: S608

# An entry that was given back has left its seat among those that a limit allows; a lost one still has it.
CLAIM_RESUMED = f"""
UPDATE {_TABLE} SET status = 'picked', queue_manager_id = $4, heartbeat = now(), updated = now(),
       slot = CASE status WHEN 'picked' THEN slot END
WHERE id IN (SELECT id FROM {_TABLE}
             WHERE entrypoint = ANY($1)
               AND ((status = 'queued' AND priority > {BEGUN} / 2 AND execute_after < now())
                    OR (status = 'picked' AND heartbeat < now() - $3::interval))
             ORDER BY id LIMIT $2 FOR UPDATE SKIP LOCKED)
RETURNING id, payload
"""  # noqa: S608

DUE = f"""
SELECT entrypoint FROM unnest($1::text[]) AS wanted(entrypoint)
WHERE EXISTS (SELECT 1 FROM {_TABLE} AS entry
              WHERE entry.entrypoint = wanted.entrypoint AND status = 'queued' AND execute_after < now())
"""  # noqa: S608

PROMOTE = f"""
UPDATE {_TABLE} SET priority = priority + {_STEP}, updated = now()
WHERE id IN (SELECT id FROM {_TABLE}
             WHERE status = 'queued' AND priority < {int(Priority.HIGH)}
               AND greatest(updated, execute_after) < now() - $1::interval
             ORDER BY id LIMIT 1000 FOR UPDATE SKIP LOCKED)
"""  # noqa: S608

DEPTH = f"SELECT count(*) FROM {_TABLE} WHERE status = 'queued'"  # noqa: S608

PRUNE = f"DELETE FROM {_LOG} WHERE created < now() - $1::interval"  # noqa: S608

AS_NEW = f"UPDATE {_TABLE} SET priority = priority - {BEGUN} WHERE id = $1 AND priority > {BEGUN} / 2"  # noqa: S608

AS_BEGUN = f"UPDATE {_TABLE} SET priority = priority + {BEGUN} WHERE id = $1 AND priority < {BEGUN} / 2"  # noqa: S608

LISTENING = "SELECT count(*) FROM pg_stat_activity WHERE application_name = $1 AND datname = current_database()"
