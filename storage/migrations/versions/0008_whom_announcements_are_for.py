"""Whom announcements are for: a topic and places of the commune."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

JSON = sa.JSON().with_variant(sa.dialects.postgresql.JSONB(), "postgresql")


def upgrade() -> None:
    op.add_column("announcements", sa.Column("topic", sa.String(40), nullable=False, server_default=""))
    op.add_column("announcements", sa.Column("place_ids", JSON, nullable=False, server_default="[]"))


def downgrade() -> None:
    op.drop_column("announcements", "place_ids")
    op.drop_column("announcements", "topic")
