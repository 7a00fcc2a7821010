"""An index of assets by digest, for content that lies under an id. The upgrade builds it without locks."""

from alembic import op

revision = "0040"
down_revision = "0039"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Nothing changes before: the index is described in `asset_tables.py`."""


def downgrade() -> None:
    op.drop_index("ix_assets_staged", "assets", if_exists=True)
