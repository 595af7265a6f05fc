"""Channels that are asked for their events: who asks, when last, what went wrong."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
AT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "channel_polls",
        sa.Column("id", NUMBER, primary_key=True, autoincrement=True),
        sa.Column("commune_id", NUMBER, sa.ForeignKey("communes.id"), nullable=False, index=True),
        sa.Column("channel_id", NUMBER, sa.ForeignKey("channels.id"), nullable=False, unique=True),
        sa.Column("lease_id", sa.String(40), nullable=True),
        sa.Column("lease_until", AT, nullable=True),
        sa.Column("polled_at", AT, nullable=True),
        sa.Column("failed_at", AT, nullable=True),
        sa.Column("error", sa.String(120), nullable=True),
    )


def downgrade() -> None:
    op.drop_table("channel_polls")
