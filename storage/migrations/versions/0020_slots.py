"""The moments at which a channel's latest messages were to leave, in place of the next one alone."""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

JSON = sa.JSON().with_variant(sa.dialects.postgresql.JSONB(), "postgresql")


def upgrade() -> None:
    op.add_column("channels", sa.Column("slots", JSON, nullable=False, server_default="[]"))
    op.drop_column("channels", "next_slot_at")


def downgrade() -> None:
    op.add_column("channels", sa.Column("next_slot_at", sa.DateTime(timezone=True), nullable=True))
    op.drop_column("channels", "slots")
