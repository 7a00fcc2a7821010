"""Messages are given until a moment of their own, and know where they go and which environment they are of."""

import sqlalchemy as sa
from alembic import op

from genpulse.adapters.database.schema import migration_steps

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

# Only 500 characters, as an index takes no more than 2,700 bytes: the end of a task must not fail because of it.
_ORIGIN = r"""
CREATE FUNCTION webhook_origin(url text) RETURNS text LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    SELECT left(regexp_replace(
        lower(regexp_replace(url, '^([^:]*://)(?:[^/?#\\]*@)?([^/?#\\]*).*$', '\1\2')),
        '^(?:(http://.*)\:80|(https://.*)\:443)$', '\1\2'), 500)
$$
"""
_NOTE = """
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
_NOTE_BEFORE = """
CREATE OR REPLACE FUNCTION note_delivery() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO deliveries (id, task_id, type, url, task, created_at, next_try_at)
    VALUES (gen_random_uuid(), NEW.id, 'task.' || NEW.status, NEW.webhook_url, to_jsonb(NEW), NEW.finished_at,
            NEW.finished_at);
    RETURN NULL;
END
$$
"""
# What is not sent any more stays as it is, so that a table of months is not written anew: whoever sends such a
# message again fills the same columns.
_FILL = """
UPDATE deliveries SET origin = webhook_origin(url), environment = coalesce(task ->> 'environment', ''),
       given_until = created_at + interval '24 hours'
WHERE next_try_at IS NOT NULL
"""


def upgrade() -> None:
    migration_steps.lock("deliveries")
    day = sa.text("now() + interval '24 hours'")
    moment = sa.DateTime(timezone=True)
    op.add_column("deliveries", sa.Column("given_until", moment, nullable=False, server_default=day))
    op.add_column("deliveries", sa.Column("origin", sa.Text(), nullable=False, server_default=""))
    op.add_column("deliveries", sa.Column("environment", sa.Text(), nullable=False, server_default=""))
    op.execute(_ORIGIN)
    op.execute(_FILL)
    op.execute(_NOTE)


def downgrade() -> None:
    op.execute(_NOTE_BEFORE)
    op.drop_index("ix_deliveries_origin_next_try_at", "deliveries", if_exists=True)
    op.execute("DROP FUNCTION webhook_origin(text)")
    for name in ("environment", "origin", "given_until"):
        op.drop_column("deliveries", name)
