"""Both notations of an asset's id count as a use of it, and what is to be removed knows its environment."""

import sqlalchemy as sa
from alembic import op

from genpulse.adapters.database.schema import migration_steps

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

_DASHED = "[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}"
_PLAIN = "[0-9a-fA-F]{32}"
_NAMED = f"asset:({_PLAIN})|({_DASHED})"
"""What `named_in` in `domain/asset.py` says in Python."""


def _function(pattern: str, found: str) -> str:
    return f"""
CREATE OR REPLACE FUNCTION note_asset_uses() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO asset_uses (task_id, asset_id)
    SELECT NEW.id, assets.id FROM assets
    WHERE assets.id IN (SELECT {found}::uuid FROM regexp_matches(NEW.input::text, '{pattern}', 'g') AS ids)
    FOR KEY SHARE OF assets;
    RETURN NULL;
END
$$
"""  # noqa: S608 - our own pattern


def _trigger(condition: str) -> str:
    return f"""
CREATE OR REPLACE TRIGGER note_asset_uses AFTER INSERT ON tasks FOR EACH ROW
WHEN ({condition}) EXECUTE FUNCTION note_asset_uses()
"""


# LIKE sorts out nearly every input for a quarter of what the regular expression costs.
_HAS_DASHED = "NEW.input::text LIKE '%-____-____-____-%'"
_HAS_EITHER = f"{_HAS_DASHED} OR NEW.input::text LIKE '%asset:%'"
_KNOWN = f"""
INSERT INTO asset_uses (task_id, asset_id)
SELECT DISTINCT tasks.id, assets.id
FROM tasks CROSS JOIN LATERAL regexp_matches(tasks.input::text, 'asset:({_PLAIN})', 'g') AS ids
JOIN assets ON assets.id = ids[1]::uuid
WHERE tasks.input::text LIKE '%asset:%'
ON CONFLICT DO NOTHING
"""  # noqa: S608 - our own pattern


_COME_MEANWHILE = _KNOWN.replace("WHERE", "WHERE tasks.finished_at IS NULL AND")
"""While all rows were read nobody was held up, and nobody has noted what came."""


def upgrade() -> None:
    op.execute(_KNOWN)
    migration_steps.lock("tasks", "doomed_objects")
    op.execute(_function(_NAMED, "coalesce(ids[1], ids[2])"))
    op.execute(_trigger(_HAS_EITHER))
    op.execute(_COME_MEANWHILE)
    op.add_column("doomed_objects", sa.Column("environment", sa.Text()))
    op.execute("UPDATE doomed_objects SET environment = (SELECT environment FROM environment_stamp)")


def downgrade() -> None:
    op.drop_column("doomed_objects", "environment")
    op.execute(_trigger(_HAS_DASHED))
    op.execute(_function(_DASHED, "ids[1]"))
