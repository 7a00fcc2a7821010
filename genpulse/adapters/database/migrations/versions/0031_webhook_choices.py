"""A task may want more messages than that of its end, and in another form; keys that sign some of these forms."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from genpulse.adapters.database.schema import migration_steps

revision = "0031"
down_revision = "0030"
branch_labels = None
depends_on = None

_END = """NEW.webhook_url IS NOT NULL AND NEW.deleted_at IS NULL
      AND OLD.finished_at IS NULL AND NEW.finished_at IS NOT NULL"""
# A claim and most progress are no news to anybody: the first condition says so at once.
_NEWS = """NEW.webhook_url IS NOT NULL AND NEW.deleted_at IS NULL
      AND CASE WHEN NEW.finished_at IS NOT NULL THEN OLD.finished_at IS NULL
               ELSE NEW.webhook_choice IS NOT NULL AND NEW.status = 'running'
                    AND (OLD.started_at IS NULL
                         OR (OLD.lease = NEW.lease AND OLD.progress IS DISTINCT FROM NEW.progress)) END"""
_NOTE = """
CREATE OR REPLACE FUNCTION note_delivery() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    kind text := 'task.' || NEW.status;
    since timestamptz := NEW.finished_at;
    event text := 'end';
    lasts interval := '24 hours';
    earlier uuid;
BEGIN
    IF NEW.webhook_choice IS NOT NULL THEN
        IF NEW.finished_at IS NULL AND OLD.started_at IS NULL THEN
            event := 'start'; kind := 'task.started'; since := NEW.started_at;
        ELSIF NEW.finished_at IS NULL THEN
            event := 'progress'; kind := 'task.progress'; since := now(); lasts := '1 minute';
        END IF;
        IF NOT (NEW.webhook_choice -> 'events' ? event
                OR (event = 'end' AND NEW.status = 'succeeded' AND NEW.webhook_choice -> 'events' ? 'output'))
           OR (event = 'progress' AND EXISTS (
               SELECT FROM deliveries WHERE deliveries.task_id = NEW.id AND deliveries.type = 'task.progress'
                 AND (next_try_at IS NOT NULL OR created_at > now() - interval '500 ms'))) THEN
            RETURN NULL;
        END IF;
        SELECT id INTO earlier FROM deliveries
        WHERE task_id = NEW.id AND next_try_at IS NOT NULL AND tries = 0 ORDER BY created_at DESC LIMIT 1;
    END IF;
    INSERT INTO deliveries (id, task_id, type, url, task, created_at, next_try_at, given_until, origin,
                            environment, form, follows)
    VALUES (gen_random_uuid(), NEW.id, kind, NEW.webhook_url, to_jsonb(NEW), since,
            now(), now() + lasts, webhook_origin(NEW.webhook_url), NEW.environment,
            coalesce(NEW.webhook_choice ->> 'form', ''), earlier);
    RETURN NULL;
END
$$
"""
_NOTE_BEFORE = """
CREATE OR REPLACE FUNCTION note_delivery() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO deliveries (id, task_id, type, url, task, created_at, next_try_at, given_until, origin,
                            environment)
    VALUES (gen_random_uuid(), NEW.id, 'task.' || NEW.status, NEW.webhook_url, to_jsonb(NEW), NEW.finished_at,
            now(), now() + interval '24 hours', webhook_origin(NEW.webhook_url), NEW.environment);
    RETURN NULL;
END
$$
"""


def _trigger(columns: str, condition: str) -> str:
    return f"""
CREATE OR REPLACE TRIGGER note_delivery AFTER UPDATE OF {columns} ON tasks FOR EACH ROW
WHEN ({condition})
EXECUTE FUNCTION note_delivery()
"""


def upgrade() -> None:
    migration_steps.lock("tasks", "deliveries")
    op.add_column("tasks", sa.Column("webhook_choice", JSONB()))
    op.add_column("deliveries", sa.Column("form", sa.Text(), server_default="", nullable=False))
    op.add_column("deliveries", sa.Column("follows", sa.Uuid()))
    op.create_table(
        "message_keys",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("seed", sa.LargeBinary(), nullable=False),
        sa.Column("is_sealed", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.func.now(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_message_keys"),
    )
    op.execute(_NOTE)
    op.execute(_trigger("status, progress", _NEWS))


def downgrade() -> None:
    op.execute(_trigger("status", _END))
    op.execute(_NOTE_BEFORE)
    op.drop_table("message_keys")
    op.drop_column("deliveries", "follows")
    op.drop_column("deliveries", "form")
    op.drop_column("tasks", "webhook_choice")
